"""A libvirtd of our own as a process: its folder, its settings, its start and its end.

It is a session daemon: it keeps to the folders that HOME and XDG_* name, and neither reads nor
changes anything of the system's own libvirt. Source of the settings: libvirt's page on libvirtd.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

from tests.beds import reaper
from tests.beds.account import unprivileged
from tests.beds.processes import is_alive, wait_until
from tests.beds.required import require_bed, require_program

_WITHIN = 15.0
_SOCKET_PATH_LIMIT = 107  # of a unix address, without its final zero
_LONGEST_SOCKET = "config/libvirt/qemu/lib/domain-999-twenty-letters-aname/monitor.sock"
_PLACES = {
    "HOME": "home",
    "XDG_RUNTIME_DIR": "run",
    "XDG_CONFIG_HOME": "config",
    "XDG_CACHE_HOME": "cache",
    "XDG_DATA_HOME": "data",
}
_LIBVIRTD_CONF = """\
listen_tcp = 1
listen_tls = {tls}
listen_addr = "127.0.0.1"
tcp_port = "{port}"
auth_tcp = "{login}"
auth_unix_rw = "none"
auth_unix_ro = "none"
host_uuid = "{host}"
"""  # without one, a daemon that may not ask the firmware makes one up at every start
_TLS_CONF = """\
tls_port = "{port}"
auth_tls = "none"
tls_no_verify_certificate = 1
ca_file = "{folder}/cacert.pem"
cert_file = "{folder}/servercert.pem"
key_file = "{folder}/serverkey.pem"
"""
_QEMU_CONF = 'stdio_handler = "file"\n'  # else the output of QEMU needs a virtlogd


class Daemon:
    """A libvirtd that is not started yet, in a folder of its own.

    ``tcp_login`` is ``none``, or ``sasl``: then it asks for a name and a password that nobody has.
    With ``certificates``, a folder that has a server's, it listens for TLS on ``tls_port`` too.
    """

    def __init__(self, tcp_login: str = "none", certificates: Path | None = None) -> None:
        self._tcp_login, self._certificates = tcp_login, certificates
        self.account = unprivileged()
        self._program = require_program("libvirtd")
        self.folder = Path(tempfile.mkdtemp(prefix="sa-"))
        self.socket = self.folder / "run/libvirt/libvirt-sock"
        self.port = _free_port()
        self.tls_port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._left: list[subprocess.Popen[bytes]] = []

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, answers: Callable[[], bool]) -> None:
        """Return when ``answers`` says so; TimeoutError with the daemon's own words otherwise."""
        self._furnish()
        self._run(answers)

    def restart(self, answers: Callable[[], bool]) -> None:
        """Start it again after `kill`; it takes over the guests that run on."""
        if self._process is not None:
            self._left.append(self._process)
        self._run(answers)

    def kill(self) -> None:
        """End the daemon alone, at once. Its guests run on, and whoever it served hears nothing."""
        pid = int(self._pid_file.read_text())
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid), _WITHIN, "libvirtd is gone")

    @property
    def _pid_file(self) -> Path:
        return self.folder / "run/libvirtd.pid"

    def _run(self, answers: Callable[[], bool]) -> None:
        out = self.folder / "libvirtd.out"
        self._process = self._spawn(out)
        try:
            wait_until(lambda: not self.runs or answers(), _WITHIN, "libvirtd answers")
            if not self.runs:
                raise TimeoutError("libvirtd ended at once")
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {out.read_text(errors='replace')[-2000:]}") from None

    def stop(self) -> None:
        """End it with every guest and remove the folder. Harmless when it never started."""
        for process in (*([self._process] if self._process else []), *self._left):
            process.communicate(timeout=_WITHIN)
        shutil.rmtree(self.folder, ignore_errors=True)

    def guest_pids(self) -> list[int]:
        """Process ids of the guests, as the daemon wrote them down."""
        files = (self.folder / "run/libvirt/qemu/run").glob("*.pid")
        return [int(file.read_text()) for file in files if file.name != "driver.pid"]

    def guest_log(self, name: str) -> Path:
        """Where a guest's QEMU writes."""
        return self.folder / "cache/libvirt/qemu/log" / f"{name}.log"

    def _furnish(self) -> None:
        if len(os.fsencode(self.folder / _LONGEST_SOCKET)) > _SOCKET_PATH_LIMIT:
            require_bed(f"{self.folder} is too long a path for unix sockets; set TMPDIR")
        for place in _PLACES.values():
            (self.folder / place).mkdir()
        settings = self.folder / "config/libvirt"
        settings.mkdir()
        (settings / "libvirtd.conf").write_text(self._settings())
        (settings / "qemu.conf").write_text(_QEMU_CONF)
        self.account.own(self.folder)

    def _settings(self) -> str:
        tls = 1 if self._certificates else 0
        words = _LIBVIRTD_CONF.format(
            port=self.port, login=self._tcp_login, tls=tls, host=uuid.uuid4()
        )
        if self._certificates is None:
            return words
        own = self.folder / "config/certificates"
        shutil.copytree(self._certificates, own)
        return words + _TLS_CONF.format(port=self.tls_port, folder=own)

    def _spawn(self, out: Path) -> subprocess.Popen[bytes]:
        words = ("--listen", "--pid-file", str(self._pid_file))
        command = self.account.command(self._program, *words)
        path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
        places = {name: str(self.folder / place) for name, place in _PLACES.items()}
        with out.open("wb") as said:
            return subprocess.Popen(
                [sys.executable, "-IS", reaper.__file__, str(self.folder), *command],
                env={"PATH": path, **places},
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                start_new_session=True,  # an interrupt at the terminal is for the tests alone
            )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
