"""Scripts over WinRM by pywinrm: a shell and a process of its own for each, and always an end.

Only its lowest layer is used. Its ready-made ways send scripts as commands, which are too short for
that, leave shells open when something fails, and wait for ever.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import requests
from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError
from winrm.protocol import Protocol
from winrm.transport import Transport

from snapaudit.hypervisors.hyperv import delivery, failures
from snapaudit.hypervisors.hyperv.attempt import PAUSE, Attempt, Result
from snapaudit.hypervisors.hyperv.connection import Deadline, harden
from snapaudit.hypervisors.hyperv.failures import Step
from snapaudit.hypervisors.hyperv.runner import Argument
from snapaudit.hypervisors.hyperv.transport import Wire

ENVELOPE = 512_000
_CODE_PAGE = 65001
_IDLE = "PT180S"  # a shell whose id never reached us ends by itself
_PIECE = 96_000
_HEAD = 1000
_LONGEST_COMPLAINT = 64_000

_LOG = logging.getLogger(__name__)


class WinrmCall:
    """One script on one host, from Create to Delete."""

    def __init__(self, wire: Wire) -> None:
        self._attempt, self._where = Attempt(wire), wire.where
        self._protocol = _protocol(wire, self._attempt.deadline)
        self._shell: str | None = None
        self._command: str | None = None
        self.has_sent = False

    def lines(self, script: str, argument: Mapping[str, Argument]) -> Iterator[str]:
        """What the script prints. Raises HypervisorError, also when it ends with a code."""
        text = delivery.standard_input(script, argument)
        try:
            self._shell = self._asked(Step.OPENING, self._open)
            self._command = self._asked(Step.STARTING, self._start)
            self._send(text)
            yield from self._received()
        finally:
            self._tidy()

    def _open(self) -> str:
        found = self._protocol.open_shell(codepage=_CODE_PAGE, noprofile=True, idle_timeout=_IDLE)
        return self._known(found)

    def _start(self) -> str:
        found = self._protocol.run_command(
            self._known(self._shell),
            delivery.PROGRAM,
            delivery.switches(),
            console_mode_stdin=False,
            skip_cmd_shell=True,
        )
        return self._known(found)

    def _send(self, text: bytes) -> None:
        """The end of the input goes with its last piece: without it the process waits for ever."""
        shell, command = self._known(self._shell), self._known(self._command)
        self.has_sent = True
        for at in range(0, len(text), _PIECE):
            piece, is_last = text[at : at + _PIECE], at + _PIECE >= len(text)
            self._asked(Step.SENDING, partial(self._input, shell, command, piece, is_last=is_last))

    def _input(self, shell: str, command: str, piece: bytes, *, is_last: bool) -> None:
        try:
            self._protocol.send_command_input(shell, command, piece, end=is_last)
        except WSManFaultError as error:
            code, said = self._last_words()
            if said:
                raise failures.of_process(self._where, code, said) from error
            raise

    def _last_words(self) -> tuple[int, str]:
        """What a process said that was gone before it had all of its input."""
        with suppress(Exception):
            _, errors, code, _ = self._receive()
            return code, errors[:_LONGEST_COMPLAINT].decode("utf-8", "replace")
        return -1, ""

    def _received(self) -> Iterator[str]:
        lines, complaint, is_done, code = delivery.Lines(self._where), b"", False, -1
        while not is_done:
            output, errors, code, is_done = self._asked(Step.READING, self._receive)
            complaint = (complaint + errors)[:_LONGEST_COMPLAINT]
            yield from lines.feed(output)
        yield from lines.end()
        said = complaint.decode("utf-8", "replace")
        if code != 0:
            raise failures.of_process(self._where, code, said)
        if said:
            _LOG.debug("%s: %s", self._where, failures.plain(said))

    def _receive(self) -> tuple[bytes, bytes, int, bool]:
        """What was printed meanwhile; a host that has nothing is not asked at once again."""
        began = time.monotonic()
        try:
            found = self._protocol.get_command_output_raw(
                self._known(self._shell), self._known(self._command)
            )
        except WinRMOperationTimeoutError:
            found = b"", b"", -1, False
        if found == (b"", b"", -1, False) and time.monotonic() - began < PAUSE:
            time.sleep(PAUSE)
        return found

    def _asked(self, step: Step, work: Callable[[], Result]) -> Result:
        self._tune()
        return self._attempt.asked(step, work)

    def _tune(self) -> None:
        connecting, reading, working = self._attempt.timeouts()
        self._protocol.operation_timeout_sec = working
        transport: Any = self._protocol.transport
        transport.read_timeout_sec = (connecting, reading)

    def _tidy(self) -> None:
        """Delete the shell, and with it the process, whatever has happened."""
        transport, shell, command = self._protocol.transport, self._shell, self._command
        if self._attempt.is_broken:
            transport.close_session()
        if shell is not None:
            self._attempt.renew()
            if command is not None:
                self._tried(lambda: self._protocol.cleanup_command(shell, command))
            self._tried(lambda: self._protocol.close_shell(shell))
        transport.close_session()
        self._attempt.deadline.close()

    def _tried(self, work: Callable[[], object]) -> None:
        """Where it fails, what comes next gets a connection and a login of its own."""
        self._tune()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - what was read, or went wrong, is what counts
            _LOG.debug("%s: %s: %s", self._where, Step.TIDYING, type(error).__name__)
            self._protocol.transport.close_session()

    @staticmethod
    def _known(identity: str | None) -> str:
        """The host answers with ids; one that is missing is no answer."""
        if not identity:
            raise ValueError("no id was told")
        return identity


def _protocol(wire: Wire, deadline: Deadline) -> Protocol:
    is_sealed = not wire.address.is_tls
    way: dict[str, Any] = {
        "endpoint": wire.address.url,
        "username": wire.username,
        "password": wire.password,
        "ca_trust_path": None,
        "server_cert_validation": "validate" if wire.is_verified or is_sealed else "ignore",
        "message_encryption": "always" if is_sealed else "auto",
        "proxy": wire.proxy,
        "service": "HTTP",
    }
    if wire.certificate is not None:
        way["cert_pem"], way["cert_key_pem"] = wire.certificate
    protocol = _LargeEnvelopes(transport=wire.auth.value, **way)
    protocol.transport = _OwnConnection(wire, deadline, auth_method=wire.auth.value, **way)
    return protocol


class _LargeEnvelopes(Protocol):
    """Asks for answers of up to 500 KB, which saves two trips of three, and takes no others."""

    def build_wsman_header(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        message = super().build_wsman_header(*args, **kwargs)
        message["env:Header"]["w:MaxEnvelopeSize"]["#text"] = str(ENVELOPE)
        return message

    def send_message(self, message: str) -> bytes:
        answer = super().send_message(message)
        if b"Envelope" not in answer[:_HEAD]:  # not all of its callers would notice
            raise ValueError("no envelope")
        return answer


class _OwnConnection(Transport):
    """Everything goes over connections of ours, from the first request on."""

    def __init__(self, wire: Wire, deadline: Deadline, **way: Any) -> None:
        super().__init__(**way)
        self._wire, self._deadline = wire, deadline

    def build_session(self) -> requests.Session:
        return self._hardened(super().build_session())

    def _send_message_request(
        self, session: requests.Session, prepared_request: requests.PreparedRequest
    ) -> requests.Response:
        return super()._send_message_request(self._hardened(session), prepared_request)

    def _hardened(self, session: requests.Session) -> requests.Session:
        return harden(session, self._wire.trust, self._deadline)
