"""The mutating calls that exist for vSphere, as data: two, and none takes more than one snapshot.

Each names the machine twice, by its managed object id and by what that id stood for when the call
was decided upon, since an id alone proves nothing after a restore or on another vCenter.
"""

from __future__ import annotations

from collections.abc import Sequence

from snapaudit.hypervisors.vsphere.reading import Machine
from snapaudit.model.acting import Call
from snapaudit.model.inventory import Snapshot

REMOVE = "remove-snapshot"
"""RemoveSnapshot_Task of one snapshot: its children stay, its deltas are merged."""
CONSOLIDATE = "consolidate-disks"
"""ConsolidateVMDisks_Task: merges the deltas that no snapshot needs."""

KNOWN = frozenset({REMOVE, CONSOLIDATE})


def remove(machine: Machine, snapshot: Snapshot) -> Call:
    """Take away this snapshot, as long as it is the one of this identity."""
    about = {**_named(machine), "snapshot": snapshot.id, "identity": snapshot.identity}
    return Call(name=REMOVE, about=about)


def consolidate(machine: Machine) -> Call:
    """Merge what no snapshot of this machine needs."""
    return Call(name=CONSOLIDATE, about=_named(machine))


def consolidate_after(removal: Call) -> Call:
    """Merge what a removal left, on the very machine that the removal was for.

    It copies data, so it is no tidying: whoever has come to need the deltas meanwhile forbids it.
    """
    about = {key: removal.about[key] for key in ("vm_id", "manager", "machine")}
    return Call(name=CONSOLIDATE, about=about, follows=True)


def _named(machine: Machine) -> dict[str, str | int | None]:
    return {"vm_id": machine.moid, "manager": machine.manager, "machine": machine.instance_uuid}


def about(call: Call, key: str) -> str:
    """A text that the call carries; KeyError when it has none."""
    value = call.about[key]
    if not isinstance(value, str):
        raise KeyError(key)
    return value


def made_for(made: Sequence[Call], name: str) -> list[Call]:
    """The calls of that name, in order."""
    return [call for call in made if call.name == name]
