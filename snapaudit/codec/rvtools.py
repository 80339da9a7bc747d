"""RVTools exports as inventories: what the sheets say, and as unknown what they do not say.

Columns as RVTools 4 writes them, those of 3 with MB for MiB too. An export tells neither how
snapshots descend from one another nor which images a disk stands on, so the view is partial always.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from snapaudit.codec.cells import Cells
from snapaudit.codec.sheets import Sheets, opened_workbook
from snapaudit.errors import InputError
from snapaudit.model.inventory import (
    ByteRange,
    Coverage,
    CoverageState,
    Datastore,
    Gap,
    Host,
    Inventory,
    PowerState,
    Snapshot,
    VirtualMachine,
)

SNAPSHOTS, MACHINES, DATASTORES, HOSTS = "vSnapshot", "vInfo", "vDatastore", "vHost"
_REASON = "an RVTools export tells neither snapshot trees nor disk chains nor what is under way"
_NO_ZONE = "the time zone of its times: they are taken as UTC"
_NEVER = (
    "snapshot trees, disk chains, unused files, tasks and clones: an RVTools export has none",
    _NO_ZONE,
)
_GAIN = ByteRange(
    min=0, max=None, basis="unknown: an export tells no disk chains, so nobody can say"
)
_POWER = {
    "poweredon": PowerState.ON,
    "poweredoff": PowerState.OFF,
    "suspended": PowerState.SUSPENDED,
}


@dataclass(slots=True)
class _Server:
    """What the rows of one vCenter or host add up to."""

    manager_id: str | None = None
    machines: dict[str, Mapping[str, object]] = field(default_factory=dict)
    snapshots: dict[str, list[Snapshot]] = field(default_factory=lambda: defaultdict(list))
    datastores: list[Datastore] = field(default_factory=list)
    hosts: dict[str, Host] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)


def read_export(path: Path) -> tuple[Inventory, ...]:
    """One inventory for each server that the export is of. Raises InputError."""
    with opened_workbook(path) as sheets:
        if SNAPSHOTS not in sheets.names:
            found = ", ".join(sheets.names[:5])
            message = f"is no RVTools export: there is no sheet {SNAPSHOTS!r}, but {found}"
            raise InputError(str(path), message)
        if sheets.created_at is None:
            raise InputError(str(path), "does not say when it was made")
        made_at = sheets.created_at.replace(tzinfo=UTC)
        servers = _Reading(sheets, path.stem).servers()
        has_all = MACHINES in sheets.names
    return tuple(
        _inventory(name, server, made_at, has_all=has_all)
        for name, server in sorted(servers.items())
    )


class _Reading:
    """The sheets, read once from the machines to their snapshots."""

    def __init__(self, sheets: Sheets, stem: str) -> None:
        self._sheets, self._stem = sheets, stem
        self._servers: dict[str, _Server] = defaultdict(_Server)

    def servers(self) -> dict[str, _Server]:
        for cells in self._cells(HOSTS, "Host"):
            self._host(cells)
        for cells in self._cells(DATASTORES, "Name"):
            self._datastore(cells)
        for cells in self._cells(MACHINES, "VM"):
            self._machine(cells)
        for cells in self._cells(SNAPSHOTS, "VM", "Name"):
            self._snapshot(cells)
        return self._servers or {self._stem: _Server()}

    def _cells(self, sheet: str, *required: str) -> Iterator[Cells]:
        for number, row in self._sheets.rows(sheet, required):
            yield Cells(row, f"{sheet} row {number}")

    def _server(self, cells: Cells) -> _Server:
        server = self._servers[cells.text("VI SDK Server") or self._stem]
        server.manager_id = server.manager_id or cells.text("VI SDK UUID")
        return server

    def _host(self, cells: Cells) -> None:
        server, name = self._server(cells), cells.text("Host")
        if name is not None:
            server.hosts[name] = Host(
                id=name,
                name=name,
                version=cells.text("ESX Version") or "unknown",
                cluster=cells.text("Cluster"),
                in_maintenance=cells.truth("in Maintenance Mode"),
            )

    def _datastore(self, cells: Cells) -> None:
        server, name = self._server(cells), cells.text("Name")
        if name is None:
            return
        identity = cells.text("Object ID") or name
        if any(one.id == identity for one in server.datastores):
            server.gaps.append(Gap(subject=cells.place, reason=f"{identity!r} stands twice"))
            return
        server.datastores.append(
            Datastore(
                id=identity,
                name=name,
                kind=cells.text("Type") or "unknown",
                capacity_bytes=cells.mib("Capacity"),
                free_bytes=cells.mib("Free"),
                provisioned_bytes=cells.mib("Provisioned"),
                accessible=cells.truth("Accessible") is not False,
            )
        )
        server.gaps.extend(cells.gaps)

    def _machine(self, cells: Cells) -> None:
        server = self._server(cells)
        identity = _machine_id(cells)
        if identity is None:
            server.gaps.append(Gap(subject=cells.place, reason="it names no machine"))
        elif identity in server.machines:
            server.gaps.append(Gap(subject=cells.place, reason=f"{identity!r} stands twice"))
        else:
            server.machines[identity] = cells.row

    def _snapshot(self, cells: Cells) -> None:
        server = self._server(cells)
        identity, name = _machine_id(cells), cells.text("Name")
        if identity is None or name is None:
            server.gaps.append(Gap(subject=cells.place, reason="it names no machine or snapshot"))
            return
        server.machines.setdefault(identity, cells.row)
        taken = cells.moment("Date / time")
        siblings = server.snapshots[identity]
        own = f"{name}@{taken:%Y-%m-%dT%H:%M:%SZ}" if taken is not None else f"{name}@unknown"
        alike = sum(own in (one.id, one.id.rpartition("#")[0]) for one in siblings)
        siblings.append(_shot(cells, f"{own}#{alike + 1}" if alike else own, name, taken))
        server.gaps.extend(cells.gaps)


def _machine_id(cells: Cells) -> str | None:
    """The id that the platform uses, as far as the export has it."""
    return cells.text("VM ID") or cells.text("VM UUID") or cells.text("VM")


def _shot(cells: Cells, identity: str, name: str, taken: datetime | None) -> Snapshot:
    return Snapshot(
        id=identity,
        name=name,
        description=cells.text("Description") or "",
        kind="snapshot",
        created_at=taken,
        parent_id=None,
        power_state=_power(cells.text("State")),
        has_memory=None,
        size_bytes=cells.mib("Size", "(total)"),
        pinned_bytes=None,
        reclaimable_bytes=_GAIN,
        is_quiesced=cells.truth("Quiesced"),
    )


def _power(word: str | None) -> PowerState:
    return _POWER.get((word or "").replace(" ", "").casefold(), PowerState.UNKNOWN)


def _inventory(name: str, server: _Server, made_at: datetime, *, has_all: bool) -> Inventory:
    reason = _REASON if has_all else f"{_REASON}; machines without snapshots are not listed"
    hosts = dict(server.hosts)
    machines = []
    for identity, row in sorted(server.machines.items()):
        cells = Cells(row, identity)
        host = cells.text("Host")
        if host is not None and host not in hosts:
            hosts[host] = Host(id=host, name=host, version="unknown", cluster=cells.text("Cluster"))
        machines.append(_vm(cells, identity, tuple(server.snapshots.get(identity, ()))))
    return Inventory(
        endpoint=name,
        hypervisor="vsphere",
        collected_at=made_at,
        coverage=Coverage(state=CoverageState.PARTIAL, reason=reason),
        manager_id=server.manager_id,
        hosts=tuple(one for _, one in sorted(hosts.items())),
        datastores=tuple(server.datastores),
        virtual_machines=tuple(machines),
        gaps=tuple(server.gaps),
        blind_spots=_NEVER,
    )


def _vm(cells: Cells, identity: str, snapshots: tuple[Snapshot, ...]) -> VirtualMachine:
    return VirtualMachine(
        id=identity,
        name=cells.text("VM") or identity,
        host_id=cells.text("Host"),
        power_state=_power(cells.text("Powerstate")),
        disks=(),
        snapshots=snapshots,
        consolidation_needed=cells.truth("Consolidation Needed"),
        busy=None,
        is_template=cells.truth("Template") is True,
        notes=cells.text("Annotation") or "",
        folder=cells.text("Folder"),
    )
