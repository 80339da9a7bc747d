"""A private libvirtd with real QEMU guests: an unprivileged session daemon in a scratch folder.

It is reached by its unix socket, and by TCP without a login on the loopback address for proxies.
Nothing of the system's own libvirt is read or changed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.beds.account import unprivileged
from tests.beds.processes import alive, wait_until
from tests.beds.required import require_bed, require_program

_WITHIN = 15.0
_SOCKET_PATH_LIMIT = 107  # of a unix address, without its final zero
_LONGEST_SOCKET = "config/libvirt/qemu/lib/domain-999-twenty-letters-aname/monitor.sock"
_LIBVIRTD_CONF = """\
listen_tcp = 1
listen_tls = 0
listen_addr = "127.0.0.1"
tcp_port = "{port}"
auth_tcp = "none"
auth_unix_rw = "none"
auth_unix_ro = "none"
"""
_QEMU_CONF = 'stdio_handler = "file"\n'  # else QEMU's output needs a virtlogd


class LibvirtBed:
    """One daemon, from ``with LibvirtBed() as bed`` to the end of the block."""

    def __init__(self) -> None:
        self.account = unprivileged()
        self.qemu = require_program("qemu-system-x86_64")
        self._libvirtd = require_program("libvirtd")
        self._qemu_img = require_program("qemu-img")
        self.sdk = _sdk()
        self.folder = Path(tempfile.mkdtemp(prefix="sa-"))
        self.pools = self.folder / "pools"
        self.socket = self.folder / "run/libvirt/libvirt-sock"
        self.uri = f"qemu:///session?socket={self.socket}"
        self.port = _free_port()
        self._daemon: subprocess.Popen[bytes] | None = None
        self._connections: list[Any] = []

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    def tcp_uri(self, port: int | None = None) -> str:
        """The daemon by TCP, at its own port or at that of a proxy in front of it."""
        return f"qemu+tcp://127.0.0.1:{port or self.port}/session"

    def start(self) -> None:
        """Return when the daemon answers on both its sockets; TimeoutError with its own words."""
        self._furnish()
        words = [self._libvirtd, "--listen", "--pid-file", str(self.folder / "run/libvirtd.pid")]
        with (self.folder / "libvirtd.out").open("wb") as out:
            self._daemon = subprocess.Popen(
                self.account.command(*words), env=self._environment(), stdout=out, stderr=out,
                stdin=subprocess.DEVNULL, cwd=self.folder, start_new_session=True,
            )  # fmt: skip
        try:
            wait_until(self._answers, _WITHIN, "libvirtd answers")
        except TimeoutError as error:
            said = (self.folder / "libvirtd.out").read_text(errors="replace")
            raise TimeoutError(f"{error}; it said: {said[-2000:]}") from None

    def stop(self) -> None:
        """End every guest and the daemon, and remove all files. Harmless when already stopped."""
        guests = self.guest_pids()
        self._destroy_guests()
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        _end(alive(guests))
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.wait(_WITHIN)
            self._daemon = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, uri: str | None = None, *, read_only: bool = False) -> Any:
        """A connection of its own, closed with the bed."""
        opened = self.sdk.openReadOnly if read_only else self.sdk.open
        self._connections.append(opened(uri or self.uri))
        return self._connections[-1]

    @cached_property
    def rw(self) -> Any:
        """A connection that may change things."""
        return self.connect()

    @cached_property
    def ro(self) -> Any:
        """A read-only connection."""
        return self.connect(read_only=True)

    @cached_property
    def domain_type(self) -> str:
        """``kvm`` where the daemon's account may use it, else ``qemu``: the same, emulated."""
        answer = self.rw.getDomainCapabilities(self.qemu, "x86_64", None, None)
        return ET.fromstring(answer).findtext("domain") or "qemu"

    def run_qemu_img(self, *words: str) -> str:
        """What ``qemu-img`` prints, run as the daemon's account; CalledProcessError otherwise."""
        command = self.account.command(self._qemu_img, *words)
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=self.pools)
        return done.stdout

    def pool(self, name: str = "images") -> Path:
        """Define, build and start a pool of files, and return its folder."""
        folder = self.pools / name
        made = self.rw.storagePoolDefineXML(
            f"<pool type='dir'><name>{name}</name><target><path>{folder}</path></target></pool>"
        )
        made.build()
        made.create()
        return folder

    def guest_pids(self) -> list[int]:
        """Process ids of the guests, as the daemon wrote them down."""
        files = (self.folder / "run/libvirt/qemu/run").glob("*.pid")
        return [int(file.read_text()) for file in files if file.name != "driver.pid"]

    def _furnish(self) -> None:
        longest = len(os.fsencode(self.folder / _LONGEST_SOCKET))
        if longest > _SOCKET_PATH_LIMIT:
            require_bed(f"{self.folder} is too long a path for unix sockets; set TMPDIR")
        for name in ("home", "run", "config/libvirt", "cache", "data", "pools"):
            (self.folder / name).mkdir(parents=True)
        settings = self.folder / "config/libvirt"
        (settings / "libvirtd.conf").write_text(_LIBVIRTD_CONF.format(port=self.port))
        (settings / "qemu.conf").write_text(_QEMU_CONF)
        self.account.own(self.folder)

    def _environment(self) -> dict[str, str]:
        xdg = {"RUNTIME_DIR": "run", "CONFIG_HOME": "config", "CACHE_HOME": "cache"} | {
            "DATA_HOME": "data"
        }
        return {
            "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin",
            "HOME": str(self.folder / "home"),
            **{f"XDG_{name}": str(self.folder / place) for name, place in xdg.items()},
        }

    def _answers(self) -> bool:
        if self._daemon is None or self._daemon.poll() is not None:
            raise TimeoutError("libvirtd ended at once")
        try:
            self.sdk.open(self.uri).close()
            self.sdk.open(self.tcp_uri()).close()
        except self.sdk.libvirtError:
            return False
        return True

    def _destroy_guests(self) -> None:
        if self._daemon is None or self._daemon.poll() is not None:
            return
        connection = self.connect()
        with ThreadPoolExecutor(8) as threads:
            active = self.sdk.VIR_CONNECT_LIST_DOMAINS_ACTIVE
            list(threads.map(self._destroy, connection.listAllDomains(active)))

    def _destroy(self, domain: Any) -> None:
        try:
            domain.destroy()
        except self.sdk.libvirtError:
            # It ended by itself, or hangs: what is still alive afterwards is ended by its id.
            return


def _sdk() -> Any:
    try:
        import libvirt
    except ImportError:
        require_bed("the libvirt-python package is not installed")
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    return libvirt


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(pids: list[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive(pids), _WITHIN, f"processes {pids} end")
