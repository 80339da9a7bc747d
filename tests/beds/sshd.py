"""An SSH server of our own on the loopback address, with keys that live as long as it does."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import tempfile
from pathlib import Path
from shutil import rmtree
from types import TracebackType
from typing import Self

from tests.beds.processes import wait_until
from tests.beds.required import require_program

_WITHIN = 10.0
_CONF = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PidFile none
"""


class SshServer:
    """A server that lets the present user in by one key, from ``with`` to the end of the block."""

    def __init__(self) -> None:
        self._sshd, keygen = require_program("sshd"), require_program("ssh-keygen")
        require_program("nc")  # what libvirt runs on the other side to reach a socket by its path
        self.folder = Path(tempfile.mkdtemp(prefix="sa-ssh-"))
        self.user = getpass.getuser()
        for name in ("host", "user"):
            words = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
            subprocess.run(words, check=True, capture_output=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    def __enter__(self) -> Self:
        conf = self.folder / "conf"
        conf.write_text(_CONF.format(port=self.port, folder=self.folder))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd insists on it
        self._process = subprocess.Popen(
            [self._sshd, "-D", "-e", "-f", str(conf)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, _WITHIN, "sshd answers")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(_WITHIN)
        rmtree(self.folder, ignore_errors=True)

    def uri(self, libvirt_socket: Path, *, key: str = "user") -> str:
        """A libvirt daemon's socket by way of this server."""
        options = f"socket={libvirt_socket}&keyfile={self.folder / key}&no_verify=1&no_tty=1"
        return f"qemu+ssh://{self.user}@127.0.0.1:{self.port}/session?{options}"

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
