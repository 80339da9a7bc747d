"""The far end of a line: a server with one machine and one old snapshot, whatever its platform.

A line in front of it may break as it likes. What the server was asked for is told by itself, or
for vSphere and libvirt by what ends the encryption right before it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable

MACHINE, SNAPSHOT = "web01", "old"


class FarEnd(ABC):
    """One server. ``expected`` are the calls that take the snapshot away, each sent once.

    ``when_changing`` is called right before the server carries out the first of them.
    """

    kind: str
    port: int
    expected: tuple[str, ...]

    def __init__(self, password: str | None = None) -> None:
        self.environ = {} if password is None else {"FAR_PASSWORD": password}
        self.when_changing: Callable[[], object] = lambda: None
        self._forgotten: Counter[str] = Counter()

    def begin_anew(self) -> None:
        """There is an old snapshot again, and nothing was heard so far."""
        if not self.snapshots():
            self._take()
        self.when_changing, self._forgotten = lambda: None, Counter(self._changes())

    @property
    def heard(self) -> list[str]:
        """The calls that may change something, as the server got them since it began anew."""
        return sorted((Counter(self._changes()) - self._forgotten).elements())

    @abstractmethod
    def entry(self, name: str, port: int, *, host: str = "localhost", more: str = "") -> str:
        """The endpoint of a configuration that is reached at a port of this machine."""

    @abstractmethod
    def snapshots(self) -> list[str]:
        """The names of the machine's snapshots, as the server has them."""

    @abstractmethod
    def _take(self) -> None:
        """Let there be a snapshot that is old."""

    @abstractmethod
    def _changes(self) -> list[str]:
        """All calls that may change something, as the server got them."""

    def _surprise(self) -> None:
        """The hook, once."""
        happens, self.when_changing = self.when_changing, lambda: None
        happens()


def https(far: FarEnd, name: str, at: str, login: str, ca_file: object, more: str) -> str:
    """The endpoint of a server that is trusted by the authority of a file."""
    return (
        f"{{name: {name}, kind: {far.kind}, url: 'https://{at}', {login}, "
        f"tls: {{ca_file: {ca_file}}}{more}}}"
    )
