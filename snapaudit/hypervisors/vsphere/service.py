"""The seam between what talks to a server and what understands it.

`Client` (client.py) is the real one over HTTPS. Tests put a faulty one of their own in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from snapaudit.hypervisors.vsphere.raw import About, FoundFile, RawObject, RawTask


class Service(Protocol):
    """A session that reads. Everything raises HypervisorError when the server cannot be asked."""

    @property
    def about(self) -> About:
        """Who answered."""
        ...

    @property
    def is_verified(self) -> bool:
        """Whether the connection is encrypted and the other side proved who it is."""
        ...

    def clock(self) -> datetime:
        """The server's own time, in UTC."""
        ...

    def custom_fields(self) -> Mapping[int, str]:
        """Names of the custom attributes by their key; empty on a host, which has none."""
        ...

    def read(self, wanted: Mapping[str, Sequence[str]]) -> Iterator[RawObject]:
        """Every visible object of these kinds with these paths, through one container view.

        Follows the token until there is none. A path that this server's release does not know is
        in every object's ``missing`` as ``InvalidProperty``.
        """
        ...

    def read_of(self, kind: str, moids: Iterable[str], paths: Sequence[str]) -> Iterator[RawObject]:
        """These objects alone; one that is gone by now is left out."""
        ...

    def creations(self, since: datetime) -> Iterator[RawTask]:
        """Tasks that made snapshots, as far back as the server keeps them."""
        ...

    def privileges(
        self, moids: Sequence[str], kinds: Mapping[str, str], names: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        """Which of the privileges this account holds, by object; ``kinds``: moid to kind."""
        ...

    def search(self, datastore: str) -> Iterator[FoundFile]:
        """All virtual-disk files on a datastore; takes the right Datastore.Browse, and time."""
        ...

    def close(self) -> None:
        """Log out and let the connection go."""
        ...


class ActingService(Service, Protocol):
    """A session that may change something: one call, sent once, never again by itself.

    Raises CallRefused when the server refused it and nothing has changed; whatever else is raised
    leaves open whether the call arrived.
    """

    def remove_snapshot(self, snapshot: str) -> str:
        """RemoveSnapshot_Task of this snapshot alone, disks consolidated; the task's moid."""
        ...

    def consolidate(self, machine: str) -> str:
        """ConsolidateVMDisks_Task; the task's moid."""
        ...

    def estimate(self, machine: str) -> Mapping[str, int] | None:
        """Bytes that consolidating needs by datastore moid; None where the server offers no answer.

        EstimateStorageForConsolidateSnapshots_Task. It changes nothing and takes the right to
        remove snapshots.
        """
        ...

    def task(self, moid: str) -> RawTask | None:
        """How a task is, by leaf paths; None when the server no longer knows it."""
        ...
