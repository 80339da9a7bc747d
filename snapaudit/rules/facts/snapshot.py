"""Facts about a snapshot."""

from __future__ import annotations

from datetime import timedelta

from snapaudit.model.age import OLDEST_BELIEVED
from snapaudit.model.inventory import PowerState
from snapaudit.rules.facts.chain import disk_bytes
from snapaudit.rules.facts.registry import fact
from snapaudit.rules.facts.virtual_machine import protection_words
from snapaudit.rules.purposes.reading import PurposeWord
from snapaudit.rules.quantity import Bytes, Share, Unknown, share_of
from snapaudit.rules.scene import SnapshotScene

_NO_CREATOR = Unknown("the hypervisor does not tell who took it")
_NO_SIZE = Unknown("the size of the snapshot is not known")
_NO_MEMORY = Unknown("the hypervisor does not tell whether memory was saved")
_NO_QUIESCE = Unknown("the hypervisor does not tell whether the guest was quiesced")
_NO_POWER = Unknown("the power state it was taken in is not known")
_NO_PINNED = Unknown("how much is freed only with this snapshot is not known")
_CIRCLE = Unknown("its parents stand on each other in a circle")
_NO_EXPIRY = Unknown("no last day is declared")
_NO_GROWTH = Unknown("it was not seen often enough to tell how fast it grows")
_NO_TIME = timedelta(0)


@fact
def age(scene: SnapshotScene) -> timedelta | Unknown:
    """Time since it was taken, by the endpoint's clock."""
    return scene.age


@fact
def name(scene: SnapshotScene) -> str:
    """The name."""
    return scene.snapshot.name


@fact
def description(scene: SnapshotScene) -> str:
    """The description; empty text when there is none."""
    return scene.snapshot.description


@fact
def creator(scene: SnapshotScene) -> str | Unknown:
    """The account that took it."""
    return scene.snapshot.creator or _NO_CREATOR


@fact
def has_creator(scene: SnapshotScene) -> bool:
    """Whether the inventory names an account that took it."""
    return bool(scene.snapshot.creator)


@fact
def has_description(scene: SnapshotScene) -> bool:
    """Whether the description holds more than blanks."""
    return bool(scene.snapshot.description.strip())


@fact
def has_ticket(scene: SnapshotScene) -> bool:
    """Whether the name or description holds what looks like a ticket number."""
    return scene.reading.has_ticket


@fact
def kind(scene: SnapshotScene) -> str:
    """The platform's own word for the sort of snapshot."""
    return scene.snapshot.kind


@fact
def size(scene: SnapshotScene) -> Bytes | Unknown:
    """What has been written since it was taken, with its memory."""
    held = scene.snapshot.size_bytes
    return _NO_SIZE if held is None else Bytes(held)


@fact
def share_of_disks(scene: SnapshotScene) -> Share | Unknown:
    """Its size against the sum of the machine's disks."""
    held = scene.snapshot.size_bytes
    return share_of(_NO_SIZE if held is None else held, disk_bytes(scene.machine))


@fact
def pinned_size(scene: SnapshotScene) -> Bytes | Unknown:
    """What is freed only with this snapshot."""
    pinned = scene.snapshot.pinned_bytes
    return _NO_PINNED if pinned is None else Bytes(pinned)


@fact
def reclaimable_size(scene: SnapshotScene) -> Bytes | Unknown:
    """What deleting it alone gives back; a range is unknown, and its lower end is known of it."""
    gain = scene.snapshot.reclaimable_bytes
    return Bytes(gain.min) if gain.min == gain.max else Unknown(gain.basis, gain.min)


@fact
def power(scene: SnapshotScene) -> PowerState | Unknown:
    """What its machine did when it was taken."""
    state = scene.snapshot.power_state
    return _NO_POWER if state is PowerState.UNKNOWN else state


@fact
def depth(scene: SnapshotScene) -> int | Unknown:
    """Its place in the tree: 1 for a root, 2 for what stands on one."""
    parents = {one.id: one.parent_id for one in scene.machine.vm.snapshots}
    line, parent = {scene.snapshot.id}, scene.snapshot.parent_id
    while parent in parents:
        if parent in line:
            return _CIRCLE
        line.add(parent)
        parent = parents[parent]
    return len(line)


@fact
def children(scene: SnapshotScene) -> int:
    """How many snapshots stand on it directly."""
    return sum(one.parent_id == scene.snapshot.id for one in scene.machine.vm.snapshots)


@fact
def is_current(scene: SnapshotScene) -> bool:
    """Whether it is the one that the machine goes on from now."""
    return scene.snapshot.id == scene.machine.vm.current_snapshot_id


@fact
def has_memory(scene: SnapshotScene) -> bool | Unknown:
    """Whether the memory of the running machine was saved with it."""
    saved = scene.snapshot.has_memory
    return _NO_MEMORY if saved is None else saved


@fact
def is_quiesced(scene: SnapshotScene) -> bool | Unknown:
    """Whether the guest's file systems were quiesced when it was taken."""
    quiesced = scene.snapshot.is_quiesced
    return _NO_QUIESCE if quiesced is None else quiesced


@fact
def is_protected(scene: SnapshotScene) -> bool:
    """Whether something found while collecting forbids to delete it."""
    return bool(scene.snapshot.protections or scene.machine.vm.protections)


@fact
def protections(scene: SnapshotScene) -> tuple[str, ...]:
    """What forbids to delete it, each in a word: ``clone-base``, ``busy``."""
    return protection_words((*scene.snapshot.protections, *scene.machine.vm.protections))


@fact
def purpose(scene: SnapshotScene) -> PurposeWord:
    """What it seems to be for, by proof, by its words or by its score."""
    return scene.reading.purpose


@fact
def proven_purpose(scene: SnapshotScene) -> PurposeWord:
    """What it is for by proof: a product's marker or the platform's own type; else ``unknown``."""
    return scene.reading.purpose if scene.reading.is_proven else PurposeWord.UNKNOWN


@fact
def makeshift_score(scene: SnapshotScene) -> int:
    """How much it looks like a makeshift backup, from 0 to 100."""
    return scene.reading.score


@fact
def declares_expiry(scene: SnapshotScene) -> bool:
    """Whether the name or description declares a last day, as in "keep until 2026-05-01"."""
    return scene.expires_at is not None


@fact
def past_expiry(scene: SnapshotScene) -> timedelta | Unknown:
    """Time since the declared last day ended (UTC); below zero while it has not."""
    match scene.expires_at:
        case None:
            return _NO_EXPIRY
        case Unknown() as unknown:
            return unknown
        case ended:
            return scene.machine.endpoint.now - ended


@fact
def clock_error(scene: SnapshotScene) -> timedelta:
    """How far its creation time is known to be wrong: into the future, or before the year 2000."""
    taken, now = scene.snapshot.created_at, scene.machine.endpoint.now
    if taken is None or OLDEST_BELIEVED <= taken <= now:
        return _NO_TIME
    return taken - now if taken > now else OLDEST_BELIEVED - taken


@fact
def known_clock_skew(scene: SnapshotScene) -> timedelta:
    """How far the endpoint's clock is known to differ from ours; zero while nothing is known."""
    skew = scene.machine.endpoint.inventory.clock_skew_seconds
    return timedelta(seconds=abs(skew)) if skew else _NO_TIME


@fact
def has_growth(scene: SnapshotScene) -> bool | Unknown:
    """Whether earlier runs saw it often enough to tell how fast it grows."""
    known = scene.growth
    return known if isinstance(known, Unknown) else known is not None


@fact
def growth_per_day(scene: SnapshotScene) -> Bytes | Unknown:
    """By how much it likely grows in a day; 0 once it is as large as the machine's disks."""
    known = scene.growth
    if isinstance(known, Unknown):
        return known
    return _NO_GROWTH if known is None else Bytes(max(0, round(known.likely_bytes)))


@fact
def growth_share(scene: SnapshotScene) -> Share | Unknown:
    """What it likely grows by in a day, against the sum of the machine's disks."""
    return share_of(growth_per_day(scene), disk_bytes(scene.machine))
