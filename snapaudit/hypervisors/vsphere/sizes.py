"""Sizes of snapshots: what each one caused to be written, and what deleting it gives back.

Each delta is charged to the snapshot that caused it: growth(S) is S's own files and all that
stands above what S froze, up to its children and, if S is current, up to the running point. Tools
that sum up what a snapshot froze charge a delta to the snapshot after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from snapaudit.hypervisors.vsphere.chains import Above, Chains, Unit, flat
from snapaudit.hypervisors.vsphere.raw import NO_FILE, RawFile
from snapaudit.model.inventory import ByteRange

DESCRIPTOR = "diskDescriptor"
# A descriptor is a text of some hundred bytes; what it describes lies elsewhere then.
_LARGEST_TEXT = 2**20
_NONE: tuple[str, ...] = ()


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
        return Measure(self.known + other.known, self.troubles + other.troubles)


NOTHING = Measure()


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSize:
    """What a snapshot occupies, pins, and gives back when it is deleted alone.

    ``frozen`` is what other tools show for it, memory included: what it froze since its parent.
    """

    growth: Measure
    pinned: Measure
    frozen: Measure
    reclaimable: ByteRange


def of_units(chains: Chains, units: Iterable[Unit]) -> Measure:
    """The sizes of these images; each file counts once, whatever it stands in."""
    known, troubles = 0, _NONE
    weights = chains.weights
    for unit in dict.fromkeys(units) if chains.is_disjoint else _apart(units):
        more, trouble = weights.get(unit) or weight(chains, unit)
        known += more
        if trouble:
            troubles += trouble
    return Measure(known, troubles)


def weight(chains: Chains, unit: Unit) -> tuple[int, tuple[str, ...]]:
    """What one image occupies, as far as that is known, and why there may be more.

    An image that has only its descriptor listed has an unknown size: such are objects behind a
    descriptor (vSAN, vVol) where the server does not tell their size.
    """
    found = chains.weights.get(unit)
    if found is None:
        found = chains.weights[unit] = _weigh(chains.files, unit)
    return found


def _apart(units: Iterable[Unit]) -> Iterator[Unit]:
    """The same images without the files of those before."""
    seen = set[int]()
    for unit in units:
        yield from _less((unit,), seen)
        seen.update(unit)


def _weigh(files: Mapping[int, RawFile], unit: Sequence[int]) -> tuple[int, tuple[str, ...]]:
    known = 0
    troubles: list[str] = []
    for key in dict.fromkeys(unit):
        file = files.get(key)
        if file is None or file.is_accessible is False or file.size < 0:
            troubles.append(_trouble(key, file))
        else:
            known += file.size
    if len(unit) == 1 and _is_text(files.get(unit[0])):
        troubles.append(f"{files[unit[0]].name} has no listed data")
    return known, tuple(troubles)


def _trouble(key: int, file: RawFile | None) -> str:
    if file is None:
        return f"file {key} is in its chain and not in its list of files"
    if file.is_accessible is False:
        return f"{file.name} is not accessible"
    return f"{file.name} has no possible size"


def _is_text(file: RawFile | None) -> bool:
    return file is not None and file.type == DESCRIPTOR and 0 <= file.size < _LARGEST_TEXT


def of_snapshot(chains: Chains, moid: str) -> SnapshotSize:
    """All sizes of one snapshot."""
    own, above = _own_files(chains, moid), tuple(chains.above(moid))
    written, pinned = _written(chains, moid, above), _pinned(chains, moid)
    frozen = own + of_units(chains, _frozen(chains, moid))
    growth = own + written
    certain = own + pinned if pinned is not NOTHING else own
    everything = growth + pinned if pinned is not NOTHING else growth
    grows, basis = _growth_of_others(chains, moid, above, written.known)
    return SnapshotSize(
        growth=growth,
        pinned=pinned,
        frozen=frozen,
        reclaimable=_reclaimable(certain, everything, grows, f"{basis}{_compared(growth, frozen)}"),
    )


def _compared(growth: Measure, frozen: Measure) -> str:
    """Other tools, such as PowerCLI, charge what was written to the snapshot that froze it."""
    if frozen.size is None or frozen.size == growth.size:
        return ""
    return f"; tools that count what it froze show {frozen.size:,} bytes for it"


def _own_files(chains: Chains, moid: str) -> Measure:
    """Its state and its memory."""
    record = chains.records.get(moid)
    if record is None:
        return Measure(0, ("its files are not listed",))
    own = [key for key in (record.data_key, record.memory_key) if key != NO_FILE]
    return Measure(*_weigh(chains.files, own))


def _written(chains: Chains, moid: str, above: Iterable[Above]) -> Measure:
    """Every unit above what it froze, whichever way leads there."""
    frozen = chains.keys_frozen_by(moid)
    units = dict.fromkeys(unit for one in above for unit in one.units)
    troubles = dict.fromkeys(one.trouble for one in above if one.trouble is not None)
    if any(child not in chains.records for child in chains.children.get(moid, ())):
        troubles["the files of a snapshot that stands on it are not listed"] = None
    found = of_units(chains, _less(units, frozen))
    return found + Measure(0, tuple(troubles)) if troubles else found


def _pinned(chains: Chains, moid: str) -> Measure:
    """Files of disks that were taken from the machine, or of a branch: they go with it alone."""
    found = NOTHING
    if not chains.keys_frozen_by(moid) <= chains.shared:
        frozen = chains.measured(chains.frozen_by(moid))
        found = of_units(chains, _less(flat(frozen.values()), chains.shared))
    if len(chains.records) < len(chains.snapshots):
        return found + Measure(0, ("the files of one of the snapshots are not listed",))
    return found


def _frozen(chains: Chains, moid: str) -> Iterator[Unit]:
    """What it froze since its parent; of a root none, and of the current one what runs besides."""
    parent = next((one.parent for one in chains.snapshots if one.moid == moid), None)
    if parent is not None:
        below = chains.keys_frozen_by(parent)
        mine = chains.measured(chains.frozen_by(moid)).values()
        yield from _less(flat(mine), below)
    if chains.current == moid:
        yield from _less(flat(chains.measured(chains.now).values()), chains.known)


def _less(units: Iterable[Unit], without: Set[int]) -> Iterator[Unit]:
    """Units without these keys; those that hold nothing else are left out."""
    for unit in units:
        if without.isdisjoint(unit):
            yield unit
        elif rest := tuple(key for key in unit if key not in without):
            yield rest


def _reclaimable(certain: Measure, everything: Measure, grows: int, basis: str) -> ByteRange:
    if everything.size is None:
        return ByteRange(min=certain.known, max=None, basis=unknown(everything))
    return ByteRange(min=everything.known - grows, max=everything.known, basis=basis)


def _growth_of_others(
    chains: Chains, moid: str, above: tuple[Above, ...], written: int
) -> tuple[int, str]:
    """What other images may take of the space that was written since, and why."""
    if not above:
        return 0, "only files of its own"
    if chains.branches(moid) > 1:
        return written, "several branches stand on it, so what they stand on stays"
    grows = min(written, sum(_growth_below(chains, one) for one in above))
    if grows == 0:
        return 0, "the images below are thick or fully grown: all of it comes back"
    share = "all" if grows == written else "a part"
    return grows, f"the images below may grow by {share} of what was written since"


def _growth_below(chains: Chains, above: Above) -> int:
    """At most what the image below grows by while the delta is merged into it.

    A base is never larger than the disk: a thick one does not grow at all. A delta below has a
    grain table besides, so nothing but the delta above bounds it.
    """
    delta = sum(weight(chains, unit)[0] for unit in above.units)
    capacity = chains.capacities.get(above.disk)
    if capacity is None or len(above.frozen) != 1:
        return delta
    base, troubles = weight(chains, above.frozen[0])
    return delta if troubles else min(delta, max(0, capacity - base))


def unknown(measured: Measure) -> str:
    """An unknown size in words: how much it is at least, and why nobody knows the rest."""
    more = f" (and {len(measured.troubles) - 1} more)" if len(measured.troubles) > 1 else ""
    return f"unknown, at least {measured.known:,} bytes: {measured.troubles[0]}{more}"
