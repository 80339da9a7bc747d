"""Why a checkpoint must not be deleted: every reason that holds, each as ``word: sentence``.

Whatever is not known to be safe is forbidden: an unknown number counts as busy, an unknown size as
too large. `docs/hypervisors/hyperv.md` has the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from snapaudit.hypervisors.hyperv import kinds, paths, sizes, statuses, volumes
from snapaudit.hypervisors.hyperv.chains import Machine
from snapaudit.hypervisors.hyperv.images import Image, Images
from snapaudit.hypervisors.hyperv.marks import mark
from snapaudit.hypervisors.hyperv.rows import CheckpointRow
from snapaudit.hypervisors.hyperv.sizes import Part
from snapaudit.hypervisors.hyperv.volumes import Volumes

HEADROOM_BYTES = 2**30
HEADROOM_PARTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a protection is judged from.

    ``written``: the images that are written to, with the machines that do. ``merging``: the mount
    points where a merge runs, with the machines whose it is. ``unread``: what could not be read of
    a machine, by its id.
    """

    images: Images
    volumes: Volumes
    machines: Mapping[str, Machine]
    written: Mapping[str, tuple[str, ...]]
    merging: Mapping[str, frozenset[str]]
    unread: Mapping[str, tuple[str, ...]]


def of_machine(machine: Machine, around: Surroundings) -> Iterator[str]:
    """What forbids every change to the chains of this machine."""
    row = machine.found.row
    yield from (f"busy: {reason}" for reason in busy_reasons(machine))
    yield from _condition(machine)
    yield from _replication(row.replication)
    yield from _shared(machine, around.images)
    yield from _chain_trouble(machine, around)
    if row.merging_disabled:
        yield "merging-off: merging is switched off for it, as backup exports do, so deltas stay"
    yield from _kept(("its name", row.name), ("its notes", row.notes), of="the machine")
    yield from (f"unread: {reason}" for reason in unread(machine, around))


def busy_reasons(machine: Machine) -> Iterator[str]:
    """The work that goes on with a machine, and every number that nobody knows."""
    found = machine.found
    for number in found.row.statuses:
        reason = statuses.at_work(number)
        if reason is not None:
            yield reason
    if not found.row.statuses:
        yield "what goes on with it was not told"
    if found.row.state == statuses.STARTING:
        yield "it is starting"
    elif found.row.state not in statuses.STATES:
        yield f"its state is {found.row.state}, neither running nor off"
    if len(set(found.nodes)) > 1:
        yield f"it moves: {' and '.join(sorted(set(found.nodes)))} both list it"
    elif len(found.nodes) > 1:
        yield f"{found.node} lists its id more than once"


def _condition(machine: Machine) -> Iterator[str]:
    row = machine.found.row
    for number in row.statuses:
        wrong = statuses.degraded(number)
        if wrong is not None:
            yield f"degraded: {wrong}"
        if number == statuses.CRITICAL:
            yield "critical: an application in it is in a critical state"
    if row.state == statuses.SAVED:
        yield "saved: its saved state belongs to the chain as it is now"
    if row.state == statuses.PAUSED:
        yield "paused: it is paused, as a full volume does to a machine"
    if row.state == statuses.STARTING:
        yield "starting: it is being started"


def _replication(mode: int | None) -> Iterator[str]:
    if mode in (statuses.NO_REPLICATION, statuses.PRIMARY):
        return
    known = statuses.REPLICAS.get(mode) if mode is not None else None
    if known is not None:
        yield f"replica: it is {known} of a machine on another host"
    else:
        told = "was not told" if mode is None else f"is {mode}, which is not known"
        yield f"replica: its replication mode {told}"


def _shared(machine: Machine, images: Images) -> Iterator[str]:
    held = [drive for row in machine.found.checkpoints for drive in row.drives]
    named = [(disk.label, disk.drive) for disk in machine.disks]
    for label, drive in named:
        if drive.is_shared or (drive.is_shared is None and drive.path):
            what = "is shared with" if drive.is_shared else "may be shared with"
            yield f"shared-disk: disk {label} {what} other machines, which the checkpoint is not of"
    for drive in held:
        if drive.is_shared:
            yield "shared-disk: a checkpoint of it holds a disk that other machines share"
    sets = [key for key in sorted(machine.keys) if paths.is_disk_set(key)]
    sets += [key for key in sorted(machine.keys) if images.by_key[key].format == "vhds"]
    if sets:
        path = images.by_key[sets[0]].path
        yield f"disk-set: {path} is a VHD set, of which checkpoints belong to a group of machines"


def _chain_trouble(machine: Machine, around: Surroundings) -> Iterator[str]:
    images = around.images
    for chain in machine.chains:
        if chain.lost is not None:
            yield f"broken-chain: {chain.trouble}"
        elif chain.trouble is not None:
            yield f"unknown-chain: {chain.trouble}"
    for key in machine.strays if is_told(machine, around) else ():
        yield f"stray-delta: no checkpoint explains {images.by_key[key].path}"
    for key in sorted(key for key in machine.keys if paths.is_auto_recovery(key)):
        yield f"auto-recovery: {images.by_key[key].path} belongs to a backup"


def unread(machine: Machine, around: Surroundings) -> Iterator[str]:
    """What is not known of the machine's records, so that its checkpoints may not be all there."""
    yield from around.unread.get(machine.id, ())
    known = {checkpoint.id for checkpoint in machine.found.checkpoints}
    current = machine.found.row.parent_checkpoint
    if current is not None and current not in known:
        yield f"it stands on checkpoint {current}, which is not listed"
    for checkpoint in machine.found.checkpoints:
        if checkpoint.parent is not None and checkpoint.parent not in known:
            yield f"checkpoint {checkpoint.name} stands on {checkpoint.parent}, which is not listed"


def is_told(machine: Machine, around: Surroundings) -> bool:
    """Whether all checkpoints of the machine are known, so that strays can be called so."""
    return not any(True for _ in unread(machine, around))


def of_checkpoint(
    checkpoint: CheckpointRow, machine: Machine, parts: tuple[Part, ...], around: Surroundings
) -> Iterator[str]:
    """What forbids deleting this one, beside what holds for its whole machine."""
    of_type = kinds.protection(checkpoint.type)
    if of_type is not None:
        yield of_type
    yield from _automatic(checkpoint, machine)
    yield from _kept(
        ("its name", checkpoint.name), ("its notes", checkpoint.notes), of="the checkpoint"
    )
    for part in parts:
        yield from _standing(part, machine, around)
    yield from _room(parts, around.volumes)
    yield from _merges_nearby(machine, parts, around)


def _automatic(checkpoint: CheckpointRow, machine: Machine) -> Iterator[str]:
    is_untold = checkpoint.is_automatic is None and (
        machine.found.row.automatic_checkpoints is not None
    )
    if checkpoint.is_automatic or is_untold:
        made = "made it" if checkpoint.is_automatic else "may have made it"
        yield (
            f"automatic: Hyper-V {made} at the start of the machine and removes it at its "
            "shutdown; switch automatic checkpoints off in the machine's settings"
        )


def _kept(*texts: tuple[str, str], of: str) -> Iterator[str]:
    for place, text in texts:
        found = mark(text)
        if found is not None:
            yield f"keep: {place} says {found!r} of {of}"


def _standing(part: Part, machine: Machine, around: Surroundings) -> Iterator[str]:
    path = part.held.path
    if len(part.children) > 1:
        yield f"branched: {len(part.children)} files stand on {path}, so none can be merged yet"
    if not part.is_alone:
        yield f"shared-hold: another checkpoint holds {path} too"
    if part.is_written:
        yield f"in-use: a machine writes to {path}, which the checkpoint froze"
    for image in (part.held, *part.own):
        others = [key for key in around.images.on(image.key) if key not in _explained(machine)]
        if others:
            named = around.images.by_key[others[0]].path
            yield f"gold-image: {named} stands on {image.path}, and would be damaged"


def _explained(machine: Machine) -> frozenset[str]:
    """The automatic files of this machine: what stands on an image besides them is another's."""
    return frozenset((*machine.owners, *machine.strays, *machine.unexplained))


def _room(parts: tuple[Part, ...], where: Volumes) -> Iterator[str]:
    wanted: dict[str, list[tuple[Image, int | None]]] = {}
    for part in parts:
        needed = sizes.need(part)
        if needed != 0:
            wanted.setdefault(where.root(part.held.key), []).append((part.held, needed))
    for held in wanted.values():
        image = held[0][0]
        free = volumes.free(image.key, where)
        needs = [needed for _, needed in held if needed is not None]
        store = where.id(image.key)
        if len(needs) < len(held):
            yield f"unknown-room: how much its merge takes on {store} is not known"
        elif free is None:
            yield f"unknown-room: how much is free on {store} is not known"
        elif free < with_headroom(sum(needs)):
            yield (
                f"no-room: its merge takes up to {sum(needs):,} bytes on {store}, and "
                f"{with_headroom(sum(needs)):,} with what the guest writes meanwhile; "
                f"{free:,} are free"
            )


def with_headroom(needed: int) -> int:
    """The room to ask for: a guest goes on writing, and a full volume pauses all machines on it."""
    return needed + max(HEADROOM_BYTES, needed // HEADROOM_PARTS)


def _merges_nearby(
    machine: Machine, parts: tuple[Part, ...], around: Surroundings
) -> Iterator[str]:
    for root in dict.fromkeys(around.volumes.root(part.held.key) for part in parts):
        others = sorted(around.merging.get(root, frozenset()) - {machine.id})
        if others:
            name = around.machines[others[0]].found.row.name
            yield f"merge-nearby: disks of {name} are being merged on the same volume"
