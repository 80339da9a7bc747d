"""Reads one vCenter or ESXi host, or one of its machines, and says what was seen: an Inventory."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from snapaudit.errors import AccessDenied
from snapaudit.hypervisors.vsphere import activity, clones, datastores, gaps, gathered
from snapaudit.hypervisors.vsphere.creators import LIMIT, Creators
from snapaudit.hypervisors.vsphere.extras import Extras
from snapaudit.hypervisors.vsphere.gathered import Gathered
from snapaudit.hypervisors.vsphere.manager import Manager, manager
from snapaudit.hypervisors.vsphere.orphans import Orphans
from snapaudit.hypervisors.vsphere.protections import Surroundings
from snapaudit.hypervisors.vsphere.service import Service
from snapaudit.hypervisors.vsphere.tags import Tags
from snapaudit.hypervisors.vsphere.translate import Context, virtual_machine
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Coverage, Datastore, Gap, Host, Inventory
from snapaudit.ports import Progress, Step

MANAGED_BY = "managed_by"
_NOTHING_ELSE = Extras()
_BLIND = (
    "machines that this account may not see, or that other vCenters or hosts keep on the same "
    "datastores: nobody can tell whether they stand on disks of these"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What came from elsewhere than the property collector."""

    fields: Mapping[int, str] = field(default_factory=dict)
    tags: Tags = field(default_factory=Tags)
    creators: Creators | None = None
    orphans: Orphans = field(default_factory=Orphans)
    gaps: tuple[Gap, ...] = ()


def collect(
    service: Service,
    endpoint: Endpoint,
    now: datetime,
    progress: Progress,
    extras: Extras = _NOTHING_ELSE,
) -> Inventory:
    """Everything that the account sees, as of now, changing nothing.

    Raises HypervisorError when the endpoint as a whole cannot be read.
    """
    with _records_that_stay():
        asked = manager(service, now)
        progress(Step(endpoint=endpoint.name, phase="reading"))
        seen = gathered.everything(service, all_devices=extras.orphans is not None)
        number = len(seen.machines)
        progress(Step(endpoint=endpoint.name, phase="understanding", seen=number, total=number))
        found = tuple(_gaps(seen, asked))
        told = _told(service, seen, asked, extras)
        every = (*found, *told.gaps)
        covered = gaps.coverage(every, machines=number)
        return _inventory(service, endpoint, now, asked, seen, told, every, covered)


@contextmanager
def _records_that_stay() -> Iterator[None]:
    """Leave off looking for garbage: a million records are made, all stay, none form a circle.

    Going through them again and again takes a fifth of the processor's time. What was made until
    here is not looked through later either: the process ends with the answer.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.enable()


def collect_one(
    service: Service,
    endpoint: Endpoint,
    vm_id: str,
    now: datetime,
    extras: Extras = _NOTHING_ELSE,
) -> Inventory:
    """One machine, with all machines on its datastores looked at for what stands on its disks.

    Without a machine when it is gone. Raises HypervisorError when it cannot be read.
    """
    asked = manager(service, now)
    seen = gathered.around_one(service, vm_id)
    found = tuple(_gaps(seen, asked))
    told = _told(service, seen, asked, Extras(tags=extras.tags))
    every = (*found, *told.gaps)
    covered = gaps.partial(every)
    return _inventory(service, endpoint, now, asked, seen, told, every, covered)


def _gaps(seen: Gathered, asked: Manager) -> Iterator[Gap]:
    machines = (*seen.machines, *seen.others)
    if asked.id is None:
        yield Gap(subject="the endpoint", reason="it does not tell an id of its own")
    yield from gaps.unread_objects((*(one.raw for one in machines), *seen.around))
    yield from gaps.unseen(seen.machines, seen.others, seen.stores, seen.placement)
    yield from gaps.hidden(seen.hidden)


def _told(service: Service, seen: Gathered, asked: Manager, extras: Extras) -> _Told:
    fields, refused = _fields(service)
    moids = [one.moid for one in seen.machines]
    trees = {one.moid: one.tree for one in seen.machines if one.tree is not None}
    tags = extras.tags(moids) if extras.tags is not None and moids else Tags()
    creators = extras.creators(trees, asked.now) if extras.creators is not None else None
    orphans = Orphans()
    if extras.orphans is not None:
        raws = [one.raw for one in seen.machines]
        orphans = extras.orphans(_datastores(seen), raws, asked.now)
    tagless = (Gap(subject="tags", reason=tags.gap),) if tags.gap is not None else ()
    return _Told(
        fields=fields,
        tags=tags,
        creators=creators,
        orphans=orphans,
        gaps=(*refused, *tagless, *orphans.gaps),
    )


def _fields(service: Service) -> tuple[Mapping[int, str], tuple[Gap, ...]]:
    """The names of custom attributes; without them a keep-until could not be told."""
    try:
        return service.custom_fields(), ()
    except AccessDenied as error:
        return {}, (Gap(subject="custom attributes", reason=str(error)),)


def _inventory(
    service: Service,
    endpoint: Endpoint,
    now: datetime,
    asked: Manager,
    seen: Gathered,
    told: _Told,
    found: tuple[Gap, ...],
    covered: Coverage,
) -> Inventory:
    context = _context(service, endpoint, asked, seen, told)
    return Inventory(
        endpoint=endpoint.name,
        hypervisor="vsphere",
        collected_at=now,
        coverage=covered,
        manager_id=asked.id,
        clock_skew_seconds=asked.skew_seconds,
        lab=endpoint.lab,
        connection_verified=service.is_verified,
        hosts=_hosts(seen),
        datastores=_datastores(seen),
        virtual_machines=tuple(virtual_machine(one, context) for one in seen.machines),
        strays=told.orphans.strays,
        gaps=found,
        blind_spots=tuple(_blind_spots(told)),
    )


def _context(
    service: Service, endpoint: Endpoint, asked: Manager, seen: Gathered, told: _Told
) -> Context:
    around = Surroundings(
        stores=seen.stores,
        others=clones.index((*seen.machines, *seen.others), seen.stores),
        tasks=activity.task_states(service, seen.machines),
        now=asked.now,
        is_vcenter=asked.is_vcenter,
        resting_hosts={host.id: host.name for host in _hosts(seen) if host.in_maintenance},
        allowed_managers=allowed_managers(endpoint),
    )
    return Context(
        around=around,
        placement=seen.placement,
        manager_id=asked.id,
        fields=told.fields,
        tags=told.tags.names,
        creators=told.creators.names if told.creators is not None else {},
    )


def allowed_managers(endpoint: Endpoint) -> frozenset[str]:
    """The extension keys of products whose machines may be changed, from the endpoint's options."""
    words = str(endpoint.options.get(MANAGED_BY, "")).split(",")
    return frozenset(word.strip() for word in words) - {""}


def _hosts(seen: Gathered) -> tuple[Host, ...]:
    return tuple(seen.placement.hosts())


def _datastores(seen: Gathered) -> tuple[Datastore, ...]:
    hosts = [host.id for host in _hosts(seen)]
    return tuple(datastores.datastore(one, hosts) for one in seen.stores.by_moid.values())


def _blind_spots(told: _Told) -> Iterator[str]:
    yield _BLIND
    if told.tags.blind_spot is not None:
        yield told.tags.blind_spot
    if told.creators is not None:
        gap = told.creators.gap
        yield LIMIT if gap is None else f"who made a snapshot could not be asked: {gap}"
    yield from told.orphans.blind_spots
