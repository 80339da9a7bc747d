"""The nodes' rows as an Inventory: pure, from what was read alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from snapaudit.hypervisors.hyperv import (
    chains,
    cluster,
    described,
    gaps,
    images,
    paths,
    statuses,
    strays,
    volumes,
)
from snapaudit.hypervisors.hyperv.chains import Machine
from snapaudit.hypervisors.hyperv.cluster import Reading
from snapaudit.hypervisors.hyperv.protections import Surroundings
from snapaudit.hypervisors.hyperv.rows import HostRow
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Host, Inventory


@dataclass(frozen=True, slots=True)
class View:
    """An endpoint understood: every machine with its chains, and what surrounds them."""

    reading: Reading
    around: Surroundings

    @property
    def machines(self) -> tuple[Machine, ...]:
        """All machines, by their ids."""
        return tuple(self.around.machines.values())


def view(reading: Reading) -> View:
    """Put together what the nodes told."""
    found = cluster.machines(reading)
    files = images.build(reading, found)
    machines = {one.id: chains.build(one, files) for one in found}
    where = volumes.build(reading, files.scope)
    around = Surroundings(
        images=files,
        volumes=where,
        machines=machines,
        written=chains.tops(machines.values()),
        merging=_merging(machines.values(), where),
        unread={one.id: tuple(gaps.unread(one, reading)) for one in found},
    )
    return View(reading, around)


def _merging(machines: Iterable[Machine], where: volumes.Volumes) -> dict[str, frozenset[str]]:
    at_it: dict[str, set[str]] = {}
    for machine in machines:
        if not {statuses.MERGING, statuses.DELETING}.isdisjoint(machine.found.row.statuses):
            for key in machine.keys:
                at_it.setdefault(where.root(key), set()).add(machine.id)
    return {root: frozenset(ids) for root, ids in at_it.items()}


def inventory(reading: Reading, *, endpoint: Endpoint, collected_at: datetime) -> Inventory:
    """The whole endpoint as the model has it."""
    seen = view(reading)
    return _described(seen, seen.machines, endpoint, collected_at)


def observed(
    reading: Reading, vm_id: str, *, endpoint: Endpoint, collected_at: datetime
) -> Inventory:
    """One machine alone, judged by all that was read; empty of machines when it is gone.

    The other machines of the reading count for what of theirs stands on its images, or merges on
    its volumes. Unused files are not looked for.
    """
    seen = view(reading)
    ours = [machine for machine in seen.machines if machine.id == cluster.plain(vm_id)]
    return _described(seen, ours, endpoint, collected_at, is_whole=False)


def _described(
    seen: View,
    meant: Sequence[Machine],
    endpoint: Endpoint,
    collected_at: datetime,
    *,
    is_whole: bool = True,
) -> Inventory:
    reading, around = seen.reading, seen.around
    missing = gaps.gaps(reading, seen.machines)
    unused = (
        tuple(strays.orphans(reading, seen.machines, around.images, around.volumes))
        if is_whole
        else ()
    )
    return Inventory(
        endpoint=endpoint.name,
        hypervisor="hyperv",
        manager_id=reading.manager_id,
        collected_at=collected_at,
        clock_skew_seconds=reading.clock_skew_seconds,
        lab=endpoint.lab,
        connection_verified=reading.is_verified,
        coverage=gaps.coverage(reading, missing),
        hosts=tuple(_host(node, row) for node, row in reading.hosts),
        datastores=tuple(
            volumes.datastores(around.volumes, around.images, _lying(seen, is_whole=is_whole))
        ),
        virtual_machines=tuple(described.virtual_machine(one, around) for one in meant),
        strays=unused,
        gaps=missing,
        blind_spots=tuple(_blind_spots(seen, is_whole=is_whole)),
    )


def _host(node: str, row: HostRow) -> Host:
    version = f"{row.os}, PowerShell {row.powershell}"
    return Host(id=node, name=row.name, version=version, cluster=row.cluster)


def _lying(seen: View, *, is_whole: bool) -> set[str]:
    keys = {key for machine in seen.machines for key in machine.keys}
    if is_whole:
        scope = seen.around.images.scope
        keys |= {scope.key(node, row.path) for node, row in images.loose(seen.reading)}
    return keys


def _blind_spots(seen: View, *, is_whole: bool) -> Iterator[str]:
    if not seen.reading.has_disks:
        yield (
            "disk files were not asked for (sizes: false): sizes of checkpoints, and whatever "
            "stands on their files, are unknown"
        )
    elif seen.reading.only is not None:
        yield "disk files of other machines were not asked for: any of them may stand on these"
    why = strays.hindrance(seen.reading, seen.machines) if is_whole else None
    if why is not None:
        yield f"files that nothing uses were not looked for: {why}"
    shares = {paths.share(key) for machine in seen.machines for key in machine.keys} - {None}
    if shares:
        yield "a host cannot ask how much is free on a share: that is unknown"
