"""Sizes of snapshots: what each one caused to be written, and what deleting it gives back.

Each delta is charged to the snapshot that caused it: growth(S) is S's own files and all that
stands above what S froze, up to its children and, if S is current, up to the running point. Tools
that sum up what a snapshot froze (`state_bytes`) charge a delta to the snapshot after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from snapaudit.hypervisors.vsphere.chains import Above, Chains, Unit, all_keys, keys
from snapaudit.hypervisors.vsphere.raw import NO_FILE, RawFile
from snapaudit.model.inventory import ByteRange

DESCRIPTOR = "diskDescriptor"
# A descriptor is a text of some hundred bytes; what it describes lies elsewhere then.
_LARGEST_TEXT = 2**20


@dataclass(frozen=True, slots=True)
class Measure:
    """Bytes that are known, and why there may be more of them."""

    known: int = 0
    troubles: tuple[str, ...] = ()

    @property
    def size(self) -> int | None:
        """All of it; None when a part is unknown, which is never nothing."""
        return None if self.troubles else self.known

    def __add__(self, other: Measure) -> Measure:
        return Measure(self.known + other.known, (*self.troubles, *other.troubles))


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSize:
    """What a snapshot occupies, pins, and gives back when it is deleted alone."""

    growth: Measure
    pinned: Measure
    reclaimable: ByteRange


def measure(files: Mapping[int, RawFile], wanted: Iterable[int]) -> Measure:
    """The sizes of these files; each counts once."""
    known, troubles = 0, list[str]()
    for key in sorted(set(wanted)):
        file = files.get(key)
        trouble = _trouble(key, file)
        if trouble is not None:
            troubles.append(trouble)
        elif file is not None:
            known += file.size
    return Measure(known, tuple(troubles))


def _trouble(key: int, file: RawFile | None) -> str | None:
    if file is None:
        return f"file {key} is in its chain and not in its list of files"
    if file.is_accessible is False:
        return f"{file.name} is not accessible"
    return f"{file.name} has no possible size" if file.size < 0 else None


def of_units(files: Mapping[int, RawFile], units: Iterable[Unit]) -> Measure:
    """The sizes of these images. One that has only its descriptor listed has an unknown size.

    Such are objects behind a descriptor (vSAN, vVol) where the server does not tell their size.
    """
    every = tuple(units)
    troubles = tuple(
        f"{files[unit[0]].name} has no listed data"
        for unit in every
        if len(unit) == 1 and unit[0] in files and _is_text(files[unit[0]])
    )
    return measure(files, keys(every)) + Measure(0, troubles)


def _is_text(file: RawFile) -> bool:
    return file.type == DESCRIPTOR and file.size < _LARGEST_TEXT and file.is_accessible is not False


def of_snapshot(chains: Chains, moid: str) -> SnapshotSize:
    """All sizes of one snapshot."""
    own, above = _own_files(chains, moid), tuple(chains.above(moid))
    growth = own + _written(chains, moid, above)
    pinned = _pinned(chains, moid)
    return SnapshotSize(
        growth=growth, pinned=pinned, reclaimable=_reclaimable(chains, moid, above, own + pinned)
    )


def _own_files(chains: Chains, moid: str) -> Measure:
    """Its state and its memory."""
    record = chains.records.get(moid)
    if record is None:
        return Measure(0, ("its files are not listed",))
    wanted = {record.data_key, record.memory_key} - {NO_FILE}
    return measure(chains.files, wanted)


def _written(chains: Chains, moid: str, above: Iterable[Above]) -> Measure:
    frozen = all_keys(chains.frozen.get(moid, {}))
    units = set(_less((unit for one in above for unit in one.units), frozen))
    troubles = [one.trouble for one in above if one.trouble is not None]
    troubles += [
        "the files of a snapshot that stands on it are not listed"
        for child in chains.children(moid)
        if child not in chains.records
    ]
    counted = of_units(chains.files, sorted(units))
    return counted + Measure(0, tuple(dict.fromkeys(troubles)))


def _pinned(chains: Chains, moid: str) -> Measure:
    """Files of disks that were taken from the machine, or of a branch: they go with it alone."""
    others = [disks for other, disks in chains.frozen.items() if other != moid]
    used = all_keys(chains.now).union(*map(all_keys, others))
    frozen = chains.measured(chains.frozen.get(moid, {}))
    units = _less((unit for chain in frozen.values() for unit in chain), used)
    unlisted = [one.moid for one in chains.snapshots if one.moid not in chains.records]
    troubles = ("the files of one of the snapshots are not listed",) if unlisted else ()
    return of_units(chains.files, units) + Measure(0, troubles)


def _less(units: Iterable[Unit], without: frozenset[int]) -> Iterator[Unit]:
    """Units without these keys; those that hold nothing else are left out."""
    for unit in units:
        rest = tuple(key for key in unit if key not in without)
        if rest:
            yield rest


def _reclaimable(
    chains: Chains, moid: str, above: tuple[Above, ...], certain: Measure
) -> ByteRange:
    written = _written(chains, moid, above)
    everything = certain + written
    if everything.size is None:
        return ByteRange(min=certain.known, max=None, basis=unknown(everything))
    grows, basis = _growth_of_others(chains, moid, above, written.known)
    compared = _compared(chains, moid, written.known)
    return ByteRange(min=everything.known - grows, max=everything.known, basis=f"{basis}{compared}")


def _growth_of_others(
    chains: Chains, moid: str, above: tuple[Above, ...], written: int
) -> tuple[int, str]:
    """What other images may take of the space that was written since, and why."""
    if not above:
        return 0, "only files of its own"
    if len(chains.children(moid)) + (chains.current == moid) > 1:
        return written, "several branches stand on it, so what they stand on stays"
    grows = min(written, sum(_growth_below(chains, one) for one in above))
    if grows == 0:
        return 0, "the images below are thick or fully grown: all of it comes back"
    share = "all" if grows == written else "a part"
    return grows, f"the images below may grow by {share} of what was written since"


def _compared(chains: Chains, moid: str, written: int) -> str:
    """Other tools, such as govc, charge what was written to the snapshot that froze it."""
    frozen = state_bytes(chains, moid)
    own = _own_files(chains, moid).known
    if frozen is None or frozen - own == written:
        return ""
    return f"; tools that count what it froze show {frozen - own:,} bytes of disks for it"


def _growth_below(chains: Chains, above: Above) -> int:
    """At most what the image below grows by while the delta is merged into it.

    A base is never larger than the disk: a thick one does not grow at all. A delta below has a
    grain table besides, so nothing but the delta above bounds it.
    """
    delta = of_units(chains.files, above.units).known
    capacity = chains.capacities.get(above.disk)
    if capacity is None or len(above.frozen) != 1:
        return delta
    base = of_units(chains.files, above.frozen[-1:])
    return delta if base.size is None else min(delta, max(0, capacity - base.known))


def unknown(measured: Measure) -> str:
    """An unknown size in words: how much it is at least, and why nobody knows the rest."""
    more = f" (and {len(measured.troubles) - 1} more)" if len(measured.troubles) > 1 else ""
    return f"unknown, at least {measured.known:,} bytes: {measured.troubles[0]}{more}"


def state_bytes(chains: Chains, moid: str) -> int | None:
    """What other tools show for a snapshot: its own files and what it froze since its parent."""
    parent = next((one.parent for one in chains.snapshots if one.moid == moid), None)
    wanted = set(_state_keys(chains, moid, parent))
    return (_own_files(chains, moid) + measure(chains.files, wanted)).size


def _state_keys(chains: Chains, moid: str, parent: str | None) -> Iterator[int]:
    frozen = chains.frozen
    if parent is not None:
        below = all_keys(frozen.get(parent, {}))
        yield from all_keys(chains.measured(frozen.get(moid, {}))) - below
    if chains.current == moid:
        every = frozenset[int]().union(*map(all_keys, frozen.values()))
        yield from all_keys(chains.measured(chains.now)) - every
