"""The mutating calls that exist for Xen, as data: three, and none takes more than one snapshot.

On Xen a snapshot is a VM, and ``VM.destroy`` would take a live machine as willingly. So each call
names the machine it is about, and the snapshot by its UUID and by what it was when it was planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from snapaudit.model.acting import Call

DISCARD_MEMORY = "discard-memory"
"""``VM.hard_shutdown`` of a checkpoint: removes its memory, and lets go of its disks."""
DESTROY_SNAPSHOT = "destroy-snapshot"
"""``VM.destroy`` of a snapshot: removes its records, and none of its disks."""
DESTROY_IMAGE = "destroy-image"
"""``VDI.destroy`` of one disk or memory image of a snapshot that is gone."""

DISK, MEMORY = "disk", "memory"


def of_snapshot(
    name: str, vm_id: str, snapshot: str, identity: str, disks: Iterable[str], memory: str | None
) -> Call:
    """A call for a snapshot. It lists all its images: the journal has them before it goes.

    Records and memory go; disks are merged only once ``VDI.destroy`` has taken away an image.
    """
    return Call(
        name=name,
        about={
            "vm_id": vm_id,
            "snapshot": snapshot,
            "identity": identity,
            "disks": " ".join(sorted(disks)),
            "memory": memory,
        },
        spares=True,
    )


def of_image(first: Call, kind: str, image: str, attempt: int, *, waits: bool) -> Call:
    """The call for one image that the first call of an action listed.

    ``waits``: after it, the garbage collector gets time to merge before anything else is begun.
    """
    return Call(
        name=DESTROY_IMAGE,
        about={
            "vm_id": first.about["vm_id"],
            "snapshot": first.about["snapshot"],
            "kind": kind,
            "image": image,
            "attempt": attempt,
            "waits": int(waits),
        },
        follows=True,
    )


def about(call: Call, key: str) -> str:
    """A text that the call carries; KeyError when it has none."""
    value = call.about[key]
    if not isinstance(value, str):
        raise KeyError(key)
    return value


def images(first: Call) -> tuple[tuple[str, str], ...]:
    """Kind and UUID of every image that the first call of an action listed."""
    disks = tuple((DISK, uuid) for uuid in about(first, "disks").split())
    memory = first.about.get("memory")
    return (*disks, (MEMORY, memory)) if isinstance(memory, str) else disks


def made_for(made: Sequence[Call], name: str, **wanted: str) -> list[Call]:
    """The calls of that name about exactly that, in order."""
    return [
        call
        for call in made
        if call.name == name and all(call.about.get(key) == is_ for key, is_ in wanted.items())
    ]
