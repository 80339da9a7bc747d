"""The bed itself: a private libvirtd with connections, pools, images and real QEMU guests."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.beds.daemon import Daemon
from tests.beds.guests import Guest, Life, guest_xml
from tests.beds.required import require_bed, require_program

MIB = 2**20


class LibvirtBed:
    """One daemon, from ``with LibvirtBed() as bed`` to the end of the block."""

    def __init__(self, *, tcp_login: str = "none", certificates: Path | None = None) -> None:
        self.sdk = _sdk()
        self._emulator = require_program("qemu-system-x86_64")
        self._qemu_img = require_program("qemu-img")
        self._qemu_io = require_program("qemu-io")
        self.daemon = Daemon(tcp_login, certificates)
        self.uri = f"qemu:///session?socket={self.daemon.socket}"
        self._open_uris = (self.uri, self.tcp_uri()) if tcp_login == "none" else (self.uri,)
        self.pools = self.daemon.folder / "pools"
        self._connections: list[Any] = []

    def __enter__(self) -> Self:
        try:
            self.daemon.start(self._answers)
            self.pools.mkdir()
            self.daemon.account.own(self.pools)
        except BaseException as error:
            self.daemon.stop()
            if isinstance(error, TimeoutError):
                require_bed(str(error))
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            if self.daemon.runs:
                self._destroy_guests()
        finally:
            for connection in self._connections:
                connection.close()
            self.daemon.stop()

    def tcp_uri(self, port: int | None = None) -> str:
        """The daemon by TCP, at its own port or at that of a proxy in front of it."""
        return f"qemu+tcp://127.0.0.1:{port or self.daemon.port}/session"

    def connect(self, uri: str | None = None, *, read_only: bool = False) -> Any:
        """A connection of its own, closed with the bed."""
        opened = self.sdk.openReadOnly if read_only else self.sdk.open
        self._connections.append(opened(uri or self.uri))
        return self._connections[-1]

    def restart(self) -> None:
        """Start the daemon again after it was killed; all connections from before are dead."""
        self.daemon.restart(self._answers)
        for name in ("rw", "ro"):
            self.__dict__.pop(name, None)

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
        answer = self.rw.getDomainCapabilities(self._emulator, "x86_64", None, None)
        return ET.XML(answer).findtext("domain") or "qemu"

    def run_qemu_img(self, *words: str) -> str:
        """What ``qemu-img`` prints, run as the daemon's account; CalledProcessError otherwise."""
        return self._run(self._qemu_img, *words)

    def create_image(
        self, path: Path, *, size_bytes: int = 64 * MIB, backing: Path | None = None
    ) -> Path:
        """A new qcow2 image; over a backing file it takes that one's size."""
        below = ("-b", str(backing), "-F", "qcow2") if backing else ()
        size = () if backing else (str(size_bytes),)
        self.run_qemu_img("create", "-q", "-f", "qcow2", *below, str(path), *size)
        return path

    def write_offline(self, path: Path, offset: int, length: int, pattern: int = 1) -> None:
        """Write into an image that no guest has open."""
        self._run(
            self._qemu_io, "-f", "qcow2", "-c", f"write -P {pattern} {offset} {length}", str(path)
        )

    def pool(self, name: str = "images") -> Path:
        """Define, build and start a pool of files, and return its folder."""
        folder = self.pools / name
        made = self.rw.storagePoolDefineXML(
            f"<pool type='dir'><name>{name}</name><target><path>{folder}</path></target></pool>"
        )
        made.build()
        made.create()
        return folder

    def define_vm(self, name: str, disks: Sequence[Path], *, life: Life = Life.OFF) -> Guest:
        """A minimal machine with the images as vda, vdb, ...: 64 MiB, one CPU, nothing to boot."""
        xml = guest_xml(name, disks, emulator=self._emulator, domain_type=self.domain_type)
        match life:
            case Life.TRANSIENT:
                domain = self.rw.createXML(xml)
            case Life.RUNNING:
                domain = self.rw.defineXML(xml)
                domain.create()
            case Life.OFF:
                domain = self.rw.defineXML(xml)
        return Guest(self.sdk, domain, self.daemon.guest_log(name))

    def _run(self, *words: str) -> str:
        command = self.daemon.account.command(*words)
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=self.pools)
        return done.stdout

    def _answers(self) -> bool:
        try:
            for uri in self._open_uris:
                self.sdk.open(uri).close()
        except self.sdk.libvirtError:
            return False
        return True

    def _destroy_guests(self) -> None:
        active = self.connect().listAllDomains(self.sdk.VIR_CONNECT_LIST_DOMAINS_ACTIVE)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(self._destroy, active))

    def _destroy(self, domain: Any) -> None:
        try:
            domain.destroy()
        except self.sdk.libvirtError:
            # It ended by itself, or it hangs: the daemon's end makes sure by process id.
            return


def _sdk() -> Any:
    try:
        import libvirt
    except ImportError:
        require_bed("the libvirt-python package is not installed")
    # Without a handler the library prints every error to stderr by itself.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    return libvirt
