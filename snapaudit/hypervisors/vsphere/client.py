"""The session that reads: `Service` over HTTPS, for a vCenter or a single host.

Small calls go through pyVmomi's plain stub, everything large through the readers in `soap`. The
stub's list of methods holds none that changes the inventory (GRD-37 in docs/safety.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from pyVmomi import vim

from snapaudit.errors import SnapauditError
from snapaudit.hypervisors.vsphere.address import parse_address
from snapaudit.hypervisors.vsphere.bulk import Bulk, class_of
from snapaudit.hypervisors.vsphere.paths import HOST
from snapaudit.hypervisors.vsphere.raw import About, FoundFile, RawObject, RawTask
from snapaudit.hypervisors.vsphere.searching import search
from snapaudit.hypervisors.vsphere.session import Session
from snapaudit.hypervisors.vsphere.stub import READING, Stub
from snapaudit.hypervisors.vsphere.tasks import creations
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.trust import Trust, trust

_ENTITIES = 500
_HARDWARE = "hardware.systemInfo.uuid"


class Client:
    """Logged in from the start; raises HypervisorError where that fails. See `Service`."""

    stub_class = Stub
    methods = READING

    def __init__(self, endpoint: Endpoint, account: Account, password: str | None) -> None:
        address, trusted = parse_address(endpoint.url), trust(endpoint.tls)
        self._where = f"{endpoint.name}: {address}"
        self._trust: Trust = trusted
        stub = self.stub_class(address, trusted, endpoint.deadline.total_seconds(), self.methods)
        try:
            self._session = Session(stub, self._where, account.username or "", password or "")
            self._bulk = Bulk(self._session)
            self._about = self._identified(self._session.about)
        except SnapauditError:
            stub.DropConnections()
            raise

    def _identified(self, about: About) -> About:
        """A single host has no instance UUID; its hardware's tells it from others."""
        if about.uuid or about.is_vcenter:
            return about
        hosts = list(self.read({HOST: [_HARDWARE]}))
        uuid = hosts[0].values.get(_HARDWARE) if len(hosts) == 1 else None
        return About(
            str(uuid) if uuid else None, about.full_name, about.api_type, about.api_version
        )

    @property
    def about(self) -> About:
        """Who answered."""
        return self._about

    @property
    def is_verified(self) -> bool:
        """Whether a certificate proved who is on the other side."""
        return self._trust.is_verified

    def clock(self) -> datetime:
        """The server's own time, in UTC."""
        root: Any = vim.ServiceInstance("ServiceInstance", self._session.stub)
        now: datetime = self._session.reading(root.CurrentTime)
        return now.astimezone(UTC)

    def custom_fields(self) -> Mapping[int, str]:
        """Names of the custom attributes by their key; empty on a host, which has none."""
        fields = self._session.content.customFieldsManager
        if fields is None:
            return {}
        found = list(self.read_of("CustomFieldsManager", [str(fields._moId)], ["field"]))
        value: Any = found[0].values.get("field", ()) if found else ()
        return dict(value)

    def read(self, wanted: Mapping[str, Sequence[str]]) -> Iterator[RawObject]:
        """Every visible object of these kinds, each once. See `Service`."""
        return self._bulk.everything(wanted)

    def read_of(self, kind: str, moids: Iterable[str], paths: Sequence[str]) -> Iterator[RawObject]:
        """These objects alone; one that is gone by now is left out."""
        return self._bulk.some(kind, moids, paths)

    def creations(self, since: datetime) -> Iterator[RawTask]:
        """Tasks that made snapshots. Raises Unsupported where the server keeps no such list."""
        return creations(self._session, since)

    def privileges(
        self, moids: Sequence[str], kinds: Mapping[str, str], names: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        """Which of the privileges this session holds, by object; Unsupported where none tells."""
        held: dict[str, frozenset[str]] = {}
        left = iter(moids)
        while chunk := list(islice(left, _ENTITIES)):
            held.update(self._held(chunk, kinds, list(names)))
        return held

    def _held(
        self, moids: list[str], kinds: Mapping[str, str], names: list[str]
    ) -> Iterator[tuple[str, frozenset[str]]]:
        manager, stub = self._session.content.authorizationManager, self._session.stub
        entities = [class_of(kinds[moid])(moid, stub) for moid in moids]
        answer = self._session.reading(
            lambda: manager.HasPrivilegeOnEntities(entities, self._session.key, names)
        )
        for one in answer or ():
            granted = frozenset(each.privId for each in one.privAvailability if each.isGranted)
            yield str(one.entity._moId), granted

    def search(self, datastore: str) -> Iterator[FoundFile]:
        """All virtual-disk files on a datastore."""
        return search(self._session, self._bulk, datastore)

    def close(self) -> None:
        """Log out and let the connection go; harmless when there is none any more."""
        self._session.log_out()
