"""Facts about a virtual machine and its snapshots together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from snapaudit.model.inventory import PowerState
from snapaudit.model.tree import SnapshotTree
from snapaudit.rules.facts.chain import disk_bytes
from snapaudit.rules.facts.registry import fact
from snapaudit.rules.quantity import Bytes, Share, Unknown, age_of, known_sum, share_of
from snapaudit.rules.scene import MachineScene

_NO_CONSOLIDATION = Unknown("the hypervisor does not tell whether consolidation is needed")
_NO_POWER = Unknown("the power state is not known")
_NO_MEMORY = Unknown("the hypervisor does not tell of every snapshot whether memory was saved")
_NO_TIME = timedelta(0)
_NO_BUSY = Unknown("the hypervisor does not tell whether a task runs")


@fact
def name(scene: MachineScene) -> str:
    """The name."""
    return scene.vm.name


@fact
def notes(scene: MachineScene) -> str:
    """The notes of the machine; empty text when there are none."""
    return scene.vm.notes


@fact
def power(scene: MachineScene) -> PowerState | Unknown:
    """What the machine does now."""
    state = scene.vm.power_state
    return _NO_POWER if state is PowerState.UNKNOWN else state


@fact
def is_busy(scene: MachineScene) -> bool | Unknown:
    """Whether a task such as a backup, a copy or a migration runs on it."""
    return _NO_BUSY if scene.vm.busy is None else scene.vm.busy


@fact
def is_template(scene: MachineScene) -> bool:
    """Whether it is a template."""
    return scene.vm.is_template


@fact
def snapshots(scene: MachineScene) -> int:
    """How many snapshots it has."""
    return len(scene.vm.snapshots)


@fact
def snapshots_size(scene: MachineScene) -> Bytes | Unknown:
    """The sizes of all its snapshots together."""
    sizes = [snapshot.size_bytes for snapshot in scene.vm.snapshots]
    total = known_sum(sizes, "the size of a snapshot is not known")
    return total if isinstance(total, Unknown) else Bytes(total)


@fact
def snapshots_share(scene: MachineScene) -> Share | Unknown:
    """The sizes of all its snapshots together against the sum of its disks."""
    if not scene.vm.snapshots:
        return Share(0.0)
    return share_of(snapshots_size(scene), disk_bytes(scene))


@fact
def snapshot_depth(scene: MachineScene) -> int:
    """How many snapshots stand on each other at most: 1 when none stands on another."""
    tree = SnapshotTree(scene.vm.snapshots)
    return max((level + 1 for level, _ in tree.walk()), default=0)


@fact
def oldest_snapshot(scene: MachineScene) -> timedelta | Unknown:
    """The age of its oldest snapshot; zero without any."""
    now = scene.endpoint.now
    return _oldest([age_of(snapshot.created_at, now) for snapshot in scene.vm.snapshots])


def _oldest(ages: list[timedelta | Unknown]) -> timedelta | Unknown:
    """One age that is not known leaves the oldest of the others as a lower bound."""
    known = max((age for age in ages if isinstance(age, timedelta)), default=_NO_TIME)
    unknown = next((age for age in ages if isinstance(age, Unknown)), None)
    return known if unknown is None else Unknown(unknown.reason, known)


@fact
def memory_snapshots(scene: MachineScene) -> int | Unknown:
    """How many of its snapshots hold its memory."""
    saved = [snapshot.has_memory for snapshot in scene.vm.snapshots]
    known = saved.count(True)
    return Unknown(_NO_MEMORY.reason, known) if None in saved else known


@fact
def checkpoints(scene: MachineScene) -> int:
    """How many checkpoints of a backup chain it has; they are no snapshots."""
    return len(scene.vm.checkpoints)


@fact
def consolidation_needed(scene: MachineScene) -> bool | Unknown:
    """Whether the hypervisor says that its disks need consolidation."""
    needed = scene.vm.consolidation_needed
    return _NO_CONSOLIDATION if needed is None else needed


@fact
def is_protected(scene: MachineScene) -> bool:
    """Whether something found while collecting forbids to change its chains."""
    return bool(scene.vm.protections)


@fact
def protections(scene: MachineScene) -> tuple[str, ...]:
    """What forbids to change its chains, each in a word: ``busy``, ``linked-clone``."""
    return protection_words(scene.vm.protections)


def protection_words(protections: Iterable[str]) -> tuple[str, ...]:
    """The word before each sentence, each once."""
    return tuple(dict.fromkeys(one.partition(":")[0] for one in protections))
