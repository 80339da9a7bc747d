"""A vCenter or ESXi host of our own on the loopback address, from ``with`` to the end of the block.

What answers is `tests/beds/vsphere/`: govmomi's simulator, taught chains of deltas, tasks that take
time, pages, permissions and faults on demand. It ends when its input closes, so it outlives nobody.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from datetime import datetime
from pathlib import Path
from shutil import rmtree
from types import TracebackType
from typing import Any, Self

from tests import canaries
from tests.beds import certificates
from tests.beds.gotools import built
from tests.beds.processes import wait_until

SOURCES = Path(__file__).parent / "vsphere"
USER, PASSWORD = "auditor@vsphere.local", canaries.VCENTER
_WITHIN = 20.0


class Simulator:
    """A server with so much in it; ``esx`` makes it a single host, ``uuid`` a certain one.

    ``vms`` are named ``vm-0``, ``vm-1`` and so on, and have ``snapshots`` each. ``delay`` is what
    every call takes longer, ``taking`` what every task takes, in seconds. ``page`` is the most
    objects in an answer. ``play`` is a file of orders to begin with, as `vmodels.Fleet` writes it.
    ``load`` is a folder of saved objects in place of all this. Without ``tls`` it speaks plain
    HTTP.
    """

    def __init__(
        self,
        *,
        vms: int = 0,
        snapshots: int = 0,
        hosts: int = 2,
        clusters: int = 1,
        datacenters: int = 1,
        datastores: int = 1,
        esx: bool = False,
        uuid: str = "",
        play: Path | None = None,
        load: Path | None = None,
        delay: float = 0.0,
        taking: float = 0.0,
        page: int = 0,
        tls: bool = True,
    ) -> None:
        self._program = built(SOURCES)
        self.ca_file = certificates.for_loopback() / "cacert.pem" if tls else None
        self.username, self.password = USER, PASSWORD
        self.url = ""
        self._telling = threading.Lock()
        self._words = [
            *("-vm", str(vms), "-snapshots", str(snapshots), "-host", str(hosts)),
            *("-cluster", str(clusters), "-dc", str(datacenters), "-ds", str(datastores)),
            *("-delay", f"{delay}s", "-taking", f"{taking}s", "-page", str(page), "-uuid", uuid),
            *("-user", USER, "-password", PASSWORD, "-session", f"{canaries.VCENTER_SESSION}-"),
            *(("-play", str(play)) if play is not None else ()),
            *(("-load", str(load)) if load is not None else ()),
            *(("-esx",) if esx else ()),
            *(_encryption() if tls else ()),
        ]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rsplit(":", 1)[1].partition("/")[0])

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="sa-vsphere-"))
        self._said = (self.folder / "said").open("w+")
        self._process = subprocess.Popen(
            [str(self._program), *self._words, "-folder", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            start_new_session=True,  # an interrupt at the terminal is for the tests alone
        )
        try:
            self.url = self._line().strip()
        except RuntimeError:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._process.communicate(timeout=_WITHIN)
        self._said.close()
        rmtree(self.folder, ignore_errors=True)

    def terminate(self) -> None:
        """Tell the server to end, and wait until it has."""
        self._process.terminate()
        self._process.wait(_WITHIN)

    def kill(self) -> None:
        """End the server at once, as a crash does."""
        self._process.kill()
        wait_until(lambda: self._process.poll() is not None, _WITHIN, "the simulator is gone")

    def tell(self, do: str, **words: object) -> Any:
        """Carry out an order of `tests/beds/vsphere/orders.go`; ValueError if it cannot be done."""
        order = json.dumps({"do": do, **words}, default=_form)
        with self._telling:
            assert self._process.stdin is not None
            self._process.stdin.write(order + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._line())
        if isinstance(answer, dict) and "error" in answer:
            raise ValueError(f"{do}: {answer['error']}")
        return answer

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(_WITHIN)
            self._said.seek(0)
            raise RuntimeError(f"the simulator ended: {self._said.read()[-2000:]}")
        return line


def _encryption() -> tuple[str, ...]:
    folder = certificates.for_loopback()
    certificate, key = folder / "servercert.pem", folder / "serverkey.pem"
    return "-tls-cert", str(certificate), "-tls-key", str(key)


def _form(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
