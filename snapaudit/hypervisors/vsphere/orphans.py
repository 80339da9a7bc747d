"""Searches datastores for virtual-disk files that no machine uses. They are only reported.

What is found is compared with all files of all machines, so nothing is said unless each machine
could be read. A datastore may be reached by hosts that this server does not manage; nothing on it
tells, so every reason says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.vsphere.raw import RawDisk, RawLayout, RawObject
from snapaudit.hypervisors.vsphere.service import Service
from snapaudit.hypervisors.vsphere.strays import Ground, Judged, judge, key
from snapaudit.model.inventory import Datastore, Gap, StrayFile

PATHS = ("name", "runtime.connectionState", "layoutEx", "config.hardware.device")
"""What has to be read of every machine before a search."""

RECENT = timedelta(hours=1)
"""A file changed so shortly before the machines were read may be in the making."""

_FILES = frozenset(PATHS[1:])
_CONNECTED = "connected"
# Folders on object stores have a name for people and one for the store; a path may use either.
_TWO_NAMES = frozenset({"vsan", "vsand", "vvol"})
_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """Unused files; ``gaps`` is what could not be searched, ``blind_spots`` what never is."""

    strays: tuple[StrayFile, ...] = ()
    gaps: tuple[Gap, ...] = ()
    blind_spots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """The files of all machines by `key`, and the machines whose files are not known."""

    files: frozenset[str]
    unread: tuple[str, ...]


def search_orphans(
    service: Service,
    stores: Sequence[Datastore],
    machines: Iterable[RawObject],
    read_at: datetime,
    seen: Callable[[int, int], None] = lambda _done, _total: None,
) -> Orphans:
    """Search the datastores, one after the other; ``seen`` is told how many of how many are done.

    ``machines`` are all of the server with `PATHS`, ``read_at`` is its own time before they were
    read. Takes Datastore.Browse, and long on large datastores. Never raises for what it meets.
    """
    used = used_files(machines)
    if used.unread:
        return Orphans(gaps=(Gap(subject="unused files", reason=_unread(used.unread)),))
    here = "this vCenter" if service.about.is_vcenter else "this host"
    ground = Ground(used=used.files, settled_at=read_at - RECENT, here=here)
    strays, gaps, passed_over = list[StrayFile](), list[Gap](), Counter[str]()
    searchable = [store for store in stores if not _has_two_names(store)]
    for number, store in enumerate(searchable):
        seen(number, len(searchable))
        match _searched(service, store, ground):
            case Gap() as gap:
                gaps.append(gap)
            case judged:
                strays += judged.strays
                passed_over.update(judged.passed_over)
    blind = (*map(_two_names, filter(_has_two_names, stores)), *_not_judged(passed_over))
    return Orphans(strays=tuple(strays), gaps=tuple(gaps), blind_spots=blind)


def used_files(machines: Iterable[RawObject]) -> Used:
    """The files of the machines, from their layouts and the backings of their disks.

    A machine that is not connected, or whose layout or disks could not be read, is unread.
    """
    files, unread = set[str](), list[str]()
    for machine in machines:
        layout = machine.values.get("layoutEx")
        is_connected = machine.values.get("runtime.connectionState") == _CONNECTED
        if not isinstance(layout, RawLayout) or not is_connected or _FILES & set(machine.missing):
            unread.append(str(machine.values.get("name", machine.moid)))
            continue
        files.update(key(file.name) for file in layout.files.values())
        files.update(_backings(machine))
    return Used(files=frozenset(files), unread=tuple(sorted(unread)))


def _backings(machine: RawObject) -> Iterator[str]:
    devices = machine.values.get("config.hardware.device")
    for disk in devices if isinstance(devices, tuple) else ():
        if isinstance(disk, RawDisk):
            yield from map(key, (*([disk.file] if disk.file else []), *disk.parents))


def _has_two_names(store: Datastore) -> bool:
    return store.kind.lower() in _TWO_NAMES


def _searched(service: Service, store: Datastore, ground: Ground) -> Judged | Gap:
    subject = f"unused files on {store.name}"
    if not store.accessible:
        return Gap(subject=subject, reason="the datastore is not accessible")
    try:
        return judge(store, tuple(service.search(store.id)), ground)
    except HypervisorError as error:
        return Gap(subject=subject, reason=str(error))


def _two_names(store: Datastore) -> str:
    return (
        f"unused files on {store.name} ({store.kind}): a folder there has two names, so that "
        "paths cannot be compared"
    )


def _not_judged(passed_over: Mapping[str, int]) -> Iterator[str]:
    for why, number in sorted(passed_over.items()):
        yield f"unused files that are not judged: {number:,} ({why})"


def _unread(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_EXAMPLES]) + (", ..." if len(names) > _EXAMPLES else "")
    return (
        f"not searched: the files of {len(names):,} machine(s) are not known ({shown}), "
        "and any file could be theirs"
    )
