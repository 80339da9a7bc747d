"""Talks to libvirt: connects, and reads a whole host through `domains` and `pools`.

The SDK is imported here alone, inside a function, so that a missing extra ends in one sentence.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from snapaudit.errors import MissingSdk
from snapaudit.hypervisors.libvirt import domains, pools
from snapaudit.hypervisors.libvirt.crew import Crew
from snapaudit.hypervisors.libvirt.failures import as_ours, text_of
from snapaudit.hypervisors.libvirt.raw import Greeting, RawHost

# Calls release the interpreter lock and one connection pipelines them: threads on one connection
# beat several connections, and up to about this many they divide the waiting.
THREADS = 48
_PIECE = 2**20


def sdk() -> Any:
    """The libvirt module, quiet: by default it prints errors and warnings to stderr by itself."""
    os.environ.setdefault("LIBVIRT_DEBUG", "error")
    try:
        import libvirt
    except ImportError as error:
        raise MissingSdk(
            "reading libvirt needs the libvirt-python package: pipx install 'snapaudit[libvirt]' "
            "(it is built on the spot and needs gcc, pkg-config and libvirt-dev)"
        ) from error
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    return libvirt


class Client:
    """A connection to one daemon, read-only unless asked otherwise."""

    def __init__(self, endpoint: str, url: str, *, writable: bool = False) -> None:
        self.endpoint, self.url = endpoint, url
        self._writable = writable
        self.sdk = sdk()
        self._connection: Any = None

    def connect(self, username: str | None, password: str | None) -> None:
        """Open the connection. Raises Unreachable or AccessDenied; blocks while nobody answers."""
        flags = 0 if self._writable else self.sdk.VIR_CONNECT_RO
        try:
            self._connection = self.sdk.openAuth(self.url, self._login(username, password), flags)
        except self.sdk.libvirtError as error:
            raise as_ours(error, self.endpoint, self.url) from error

    def _login(self, username: str | None, password: str | None) -> list[Any]:
        answers = {
            self.sdk.VIR_CRED_AUTHNAME: username,
            self.sdk.VIR_CRED_USERNAME: username,
            self.sdk.VIR_CRED_PASSPHRASE: password,
        }

        def answer(credentials: list[list[Any]], _: object) -> int:
            for credential in credentials:
                credential[4] = answers.get(credential[0])
            return 0 if all(credential[4] is not None for credential in credentials) else -1

        return [list(answers), answer, None]

    @property
    def is_alive(self) -> bool:
        """Whether the connection stands, as far as the client library has noticed."""
        return self._connection is not None and bool(self._connection.isAlive())

    def domain(self, uuid: str) -> Any:
        """The library's own object of a domain, on this connection. Raises libvirtError."""
        return self._connection.lookupByUUIDString(uuid)

    def close(self) -> None:
        """Let the connection go; harmless when there is none."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def greeting(self) -> Greeting:
        """Who answers and how much is visible, in a handful of calls. Raises HypervisorError."""
        connection = self._connection
        try:
            return Greeting(
                hostname=connection.getHostname(),
                driver=connection.getType(),
                library_version=connection.getLibVersion(),
                hypervisor_version=connection.getVersion(),
                domains=len(connection.listAllDomains()),
                pools=len(connection.listAllStoragePools()),
            )
        except self.sdk.libvirtError as error:
            raise as_ours(error, self.endpoint, self.url) from error

    def read(self, *, refresh_pools: bool, seen: Callable[[int, int], None]) -> RawHost:
        """Read the whole host. ``seen`` is told how many of how many domains are read.

        Raises Unreachable when the connection is lost: half an answer is no answer.
        """
        connection, trouble = self._connection, list[str]()
        try:
            threads = Crew(THREADS)
            listed = domains.read(self.sdk, connection, threads, trouble, seen)
            stores = pools.read(self.sdk, connection, threads, trouble, refresh=refresh_pools)
            return RawHost(
                hostname=connection.getHostname(),
                driver=connection.getType(),
                library_version=connection.getLibVersion(),
                hypervisor_version=connection.getVersion(),
                capabilities=connection.getCapabilities(),
                domains=listed,
                pools=stores,
                trouble=trouble,
            )
        except self.sdk.libvirtError as error:
            raise as_ours(error, self.endpoint, self.url) from error

    def download(self, path: str, offset: int, length: int) -> bytes:
        """A piece of a volume through the daemon, on a writable connection only. Raises OSError."""
        stream = self._connection.newStream(0)
        try:
            self._connection.storageVolLookupByPath(path).download(stream, offset, length, 0)
            pieces = []
            while piece := stream.recv(_PIECE):
                pieces.append(piece)
            stream.finish()
            return b"".join(pieces)
        except self.sdk.libvirtError as error:
            raise OSError(text_of(error)) from error
