"""Tree: the snapshots of one machine as they descend from one another, and its disks' chains."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text
from rich.tree import Tree

from snapaudit.model.finding import Audit, Finding
from snapaudit.model.inventory import (
    DiskLayer,
    Inventory,
    LayerRole,
    Snapshot,
    VirtualDisk,
    VirtualMachine,
)
from snapaudit.model.tree import SnapshotTree
from snapaudit.report.phrases import age, size, words
from snapaudit.report.terminal import STYLES, draw, facts, text

_NAME_COLUMNS = 40
_LINE_COLUMNS = 60
_INDENT_COLUMNS = 4
_Found = dict[str, list[Finding]]


def render_tree(
    vm: VirtualMachine,
    inventory: Inventory,
    audit: Audit | None,
    now: datetime,
    *,
    width: int = 100,
    colour: bool = False,
) -> bytes:
    """The machine's snapshot tree and below it each disk's chain of images, base first.

    With an audit each snapshot also carries the rules that found something about it.
    """
    found = _found(vm, inventory, audit)
    deepest = max(1, (width - _LINE_COLUMNS) // _INDENT_COLUMNS)
    parts = _parts(vm, inventory, found, now, deepest)
    return draw(parts, width=width, colour=colour)


def _found(vm: VirtualMachine, inventory: Inventory, audit: Audit | None) -> _Found:
    found: _Found = {}
    for finding in audit.findings if audit else ():
        subject = finding.subject
        if subject.endpoint == inventory.endpoint and subject.vm_id == vm.id:
            found.setdefault(subject.id, []).append(finding)
    return found


def _parts(
    vm: VirtualMachine, inventory: Inventory, found: _Found, now: datetime, deepest: int
) -> Iterator[RenderableType]:
    title = Text.assemble(
        text(vm.name, "bold", _NAME_COLUMNS),
        text(f"  {words(vm.power_state)}, on {inventory.endpoint}", "dim"),
        _rules(found.get(vm.id, [])),
    )
    yield _snapshots(vm, title, found, now, deepest)
    if said := tuple((name, words) for name, words in _filed(vm) if words):
        yield facts(said)
    yield from (text(f"protected: {reason}", "magenta") for reason in vm.protections)
    if vm.disks:
        yield Text()
        yield _disks(vm, inventory)


def _filed(vm: VirtualMachine) -> Iterator[tuple[str, str]]:
    """Where people put it, and what they and the platform say of it."""
    yield "filed in", vm.folder or ""
    yield "tags", ", ".join(vm.tags)
    yield "traits", ", ".join(vm.traits)
    yield from ((f"attribute {one.name}", one.value) for one in vm.attributes)


def _snapshots(vm: VirtualMachine, title: Text, found: _Found, now: datetime, deepest: int) -> Tree:
    """The tree; what lies deeper than there is room for stands below each other with its depth."""
    root = Tree(title, guide_style="dim")
    branches = {-1: root}
    for depth, snapshot in SnapshotTree(vm.snapshots).walk():
        line = _snapshot(snapshot, now, is_current=snapshot.id == vm.current_snapshot_id)
        if depth > deepest:
            line = text(f"depth {depth}: ", "dim") + line
        branch = branches[min(depth, deepest) - 1].add(line + _rules(found.get(snapshot.id, [])))
        branches[depth] = branch
        for reason in snapshot.protections:
            branch.add(text(f"protected: {reason}", "magenta"))
    if not vm.snapshots:
        root.add(text("no snapshots", "dim"))
    return root


def _snapshot(snapshot: Snapshot, now: datetime, *, is_current: bool) -> Text:
    known = (age(snapshot.created_at, now), f"size {size(snapshot.size_bytes)}", snapshot.kind)
    flags = ", ".join(flag for flag in _flags(snapshot, is_current=is_current) if flag)
    name = text(snapshot.name, "bold", _NAME_COLUMNS)
    return Text.assemble(
        name, text(f"  {', '.join(known)}"), text(f"  [{flags}]" if flags else "", "cyan")
    )


def _flags(snapshot: Snapshot, *, is_current: bool) -> tuple[str, ...]:
    return (
        "current" if is_current else "",
        "with memory" if snapshot.has_memory else "",
        "quiesced" if snapshot.is_quiesced else "",
        "protected" if snapshot.protections else "",
    )


def _rules(findings: list[Finding]) -> Text:
    parts = [Text()]
    parts += [text(f"{one.severity}: {one.rule}", STYLES[one.severity]) for one in findings]
    return Text("  ").join(parts)


def _disks(vm: VirtualMachine, inventory: Inventory) -> Tree:
    names = {store.id: store.name for store in inventory.datastores}
    root = Tree(text("Disks, each with its images, base first"), guide_style="dim")
    for disk in vm.disks:
        branch = root.add(_disk(disk))
        for number, layer in enumerate(disk.layers, 1):
            branch.add(_layer(number, layer, names))
    return root


def _disk(disk: VirtualDisk) -> Text:
    capacity = text(f"  {size(disk.capacity_bytes)} for the guest", "dim")
    return text(disk.label, "bold", _NAME_COLUMNS) + capacity


def _layer(number: int, layer: DiskLayer, stores: dict[str, str]) -> Text:
    place = stores.get(layer.datastore_id or "", "no known datastore")
    style = "yellow" if layer.role is LayerRole.PHANTOM else ""
    line = text(f"{number}. {layer.role}  {size(layer.size_bytes)}  {layer.path} on {place}", style)
    if layer.exists is False:
        line.append_text(text("  MISSING: the file is gone", "bold red"))
    return line
