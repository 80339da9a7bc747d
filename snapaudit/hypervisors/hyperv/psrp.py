"""Scripts in a PowerShell session by pypsrp, for accounts that may not start processes.

In the standard session the script is sent as it is. A JEA endpoint takes no text of others: there
the functions of `scripts/Snapaudit.psm1` have been installed, and are called by name.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from pypsrp.complex_objects import PSInvocationState
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.hyperv import delivery, failures
from snapaudit.hypervisors.hyperv.attempt import PAUSE, Attempt, Result
from snapaudit.hypervisors.hyperv.connection import harden
from snapaudit.hypervisors.hyperv.failures import Step
from snapaudit.hypervisors.hyperv.runner import Argument
from snapaudit.hypervisors.hyperv.transport import Session, Wire

FUNCTIONS = {
    "collect": "Invoke-SnapauditCollect",
    "remove": "Invoke-SnapauditRemove",
    "watch": "Invoke-SnapauditWatch",
}
"""What the scripts are called where they are installed."""

_IDLE = 180
# The library reports what it also raises; without a handler that would land on standard error.
logging.getLogger("pypsrp").addHandler(logging.NullHandler())


class PsrpCall:
    """One script in one session."""

    def __init__(self, wire: Wire) -> None:
        self._attempt, self._wire, self._where = Attempt(wire), wire, wire.where
        self._wsman: Any = _wsman(wire, self._attempt)
        self._pool: Any = RunspacePool(
            self._wsman, configuration_name=wire.configuration, idle_timeout=_IDLE
        )
        self._pipeline: Any = PowerShell(self._pool)
        self.has_sent = False

    def lines(self, script: str, argument: Mapping[str, Argument]) -> Iterator[str]:
        """What the script hands down its pipeline. Raises HypervisorError, also when it fails."""
        try:
            self._asked(Step.OPENING, self._pool.open)
            self._prepare(script, delivery.encoded(argument))
            self.has_sent = True
            self._asked(Step.SENDING, self._pipeline.begin_invoke)
            yield from self._received()
        finally:
            self._tidy()

    def _prepare(self, script: str, argument: str) -> None:
        if self._wire.session is Session.JEA:
            self._pipeline.add_cmdlet(FUNCTIONS[script])
        else:
            self._pipeline.add_script(delivery.script(script))
            self._pipeline.add_parameter("Pipeline", True)
        self._pipeline.add_parameter("Argument", argument)

    def _received(self) -> Iterator[str]:
        pipeline = self._pipeline
        while pipeline.state == PSInvocationState.RUNNING:
            began = time.monotonic()
            self._asked(Step.READING, pipeline.poll_invoke)
            found, pipeline.output[:] = pipeline.output[:], []
            if not found and time.monotonic() - began < PAUSE:
                time.sleep(PAUSE)
            for line in found:
                if not isinstance(line, str):
                    raise HypervisorError(f"{self._where}: the answer has something that is no row")
                yield line
        if pipeline.state != PSInvocationState.COMPLETED:
            said = str(pipeline.streams.error[-1]) if pipeline.streams.error else ""
            raise failures.of_process(self._where, 1, said)

    def _asked(self, step: Step, work: Callable[[], Result]) -> Result:
        self._tune()
        return self._attempt.asked(step, work)

    def _tune(self) -> None:
        connecting, reading, working = self._attempt.timeouts()
        self._wsman.operation_timeout = working
        transport = self._wsman.transport
        transport.connection_timeout, transport.read_timeout = connecting, reading

    def _tidy(self) -> None:
        """Delete the session, and with it whatever runs in it."""
        transport = self._wsman.transport
        with suppress(Exception):
            if self._attempt.is_broken:
                transport.close()
                transport.encryption = None
                transport.session = _session(self._wire, self._attempt, self._wsman)
            if self._pool.shell.opened:
                self._attempt.renew()
                self._tune()
                self._pool.shell.close()
        transport.close()
        self._attempt.deadline.close()


def _wsman(wire: Wire, attempt: Attempt) -> WSMan:
    address = wire.address
    way: dict[str, Any] = {}
    if wire.certificate is not None:
        way["certificate_pem"], way["certificate_key_pem"] = wire.certificate
    wsman = WSMan(
        address.host,
        port=address.port,
        path=address.path.lstrip("/"),
        username=wire.username,
        password=wire.password,
        ssl=address.is_tls,
        auth=wire.auth.value,
        cert_validation=wire.is_verified or not address.is_tls,
        encryption="auto" if address.is_tls else "always",
        proxy=wire.proxy,
        no_proxy=wire.proxy is None,
        **way,
    )
    wsman.transport.session = _session(wire, attempt, wsman)
    return wsman


def _session(wire: Wire, attempt: Attempt, wsman: WSMan) -> Any:
    """A session over our own connections; the library would make one at the first request."""
    built = wsman.transport._build_session()
    return harden(built, wire.trust, attempt.deadline)
