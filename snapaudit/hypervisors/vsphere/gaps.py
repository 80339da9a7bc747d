"""What should have been read and was not, and how much of an endpoint was seen in all.

An account that may not see an object gets a shorter list and no error; only what refers to the
object gives it away. So a reference that leads nowhere is a gap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from snapaudit.hypervisors.vsphere import paths
from snapaudit.hypervisors.vsphere.datastores import Stores
from snapaudit.hypervisors.vsphere.machine import Machine, unread
from snapaudit.hypervisors.vsphere.names import decoded, parted
from snapaudit.hypervisors.vsphere.placement import Placement
from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.model.inventory import Coverage, CoverageState, Gap

_EXAMPLES = 3
_NO_PERMISSION = "NoPermission"
_WORDS = {
    paths.VIRTUAL_MACHINE: "virtual machine",
    paths.HOST: "host",
    paths.DATASTORE: "datastore",
    paths.FOLDER: "folder",
    paths.DATACENTER: "datacenter",
    paths.VAPP: "vApp",
}
NOTHING_VISIBLE = (
    "not one virtual machine is visible: there is none, or this account may not see them "
    "(a server leaves out what an account may not see; it does not refuse)"
)


def unread_objects(found: Iterable[RawObject]) -> Iterator[Gap]:
    """A gap for each object of which a path could not be read."""
    for raw in found:
        if missing := unread(raw):
            by_fault = defaultdict[str, list[str]](list)
            for path, fault in sorted(missing.items()):
                by_fault[fault].append(path)
            reasons = (f"{_said(fault)}: {', '.join(them)}" for fault, them in by_fault.items())
            yield Gap(subject=subject(raw), reason="; ".join(reasons))


def subject(raw: RawObject) -> str:
    """An object in words: its kind and its name, or its reference where the name is not told."""
    name = raw.values.get("name")
    shown = decoded(name) if isinstance(name, str) and name else raw.moid
    return f"{_WORDS.get(raw.kind, 'cluster')} {shown}"


def _said(fault: str) -> str:
    name, _, privilege = fault.partition(": ")
    if name != _NO_PERMISSION:
        return f"could not be read ({fault})"
    return f"this account lacks {privilege or 'a privilege'} for it"


def unseen(
    machines: Sequence[Machine], others: Sequence[Machine], stores: Stores, around: Placement
) -> Iterator[Gap]:
    """What machines refer to and nobody sees, and machines whose files nobody tells.

    ``others`` were read for their files alone.
    """
    described = {one.moid for one in machines}
    for machine in (*machines, *others):
        reasons = [*_hidden(machine, stores, around)] if machine.moid in described else []
        if machine.layout is None and not machine.is_unread("layoutEx"):
            state = machine.text("runtime.connectionState") or "unknown"
            reasons.append(f"its files are not told (connection state: {state})")
        if reasons:
            yield Gap(subject=subject(machine.raw), reason="; ".join(reasons))


def hidden(moids: Sequence[str]) -> Iterator[Gap]:
    """One gap for all machines that datastores list and that this account is not shown."""
    if moids:
        shown = ", ".join(moids[:_EXAMPLES]) + (", ..." if len(moids) > _EXAMPLES else "")
        reason = f"{len(moids)} that datastores list are not visible to this account ({shown})"
        yield Gap(subject="virtual machines", reason=reason)


def _hidden(machine: Machine, stores: Stores, around: Placement) -> Iterator[str]:
    host = machine.text("runtime.host")
    if host is not None and host not in around.objects:
        yield f"its host {host} is not visible to this account"
    used = machine.datastores
    for moid in used:
        if moid not in stores.by_moid:
            yield f"its datastore {moid} is not visible to this account"
    for _, path in sorted(_places(machine).items()):
        if stores.find(path, used) is None:
            yield f"its disks lie on [{parted(path)[0] or ''}], which no visible datastore is"


def _places(machine: Machine) -> dict[str, str]:
    """One of its files on each datastore, by what stands before the end of the name."""
    layout = machine.layout
    if layout is None:
        return {}
    keys = machine.keys & layout.files.keys()
    paths = (layout.files[key].name for key in keys)
    return {path.partition("]")[0]: path for path in paths}


def coverage(gaps: Sequence[Gap], *, machines: int) -> Coverage:
    """Of a whole endpoint."""
    if gaps:
        return partial(gaps)
    if not machines:
        return Coverage(state=CoverageState.SUSPICIOUS, reason=NOTHING_VISIBLE)
    return Coverage(state=CoverageState.COMPLETE)


def partial(gaps: Sequence[Gap]) -> Coverage:
    """Complete, or partial with the first gap as its reason."""
    if not gaps:
        return Coverage(state=CoverageState.COMPLETE)
    more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
    reason = f"{gaps[0].subject}: {gaps[0].reason}{more}"
    return Coverage(state=CoverageState.PARTIAL, reason=reason)
