"""A Hyper-V host as its scripts would tell of it: what collect, remove and watch print.

`Node` is a host of an `Estate`; its ``respond`` goes behind the WS-Man server, or into a `Direct`
runner without any wire. What no tool of ours may ever ask for is kept as a breach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from snapaudit.errors import Unreachable
from tests.beds.wsman.estate import GIB, OK, Checkpoint, Estate, Fate, Vm
from tests.beds.wsman.recording import printed, time
from tests.enforce.fake.peril import Peril

Row = dict[str, Any]
Key = tuple[str, str, datetime]
"""A checkpoint that a person let through: machine, id and time."""


@dataclass
class Site:
    """All nodes of an estate, and what is asked of them.

    ``sent`` are the removals that arrived; ``asked`` every script with its argument.
    ``approved`` None: nobody is asked. ``surprise`` happens once, right before a removal.
    """

    estate: Estate
    peril: Peril = field(default_factory=Peril)
    approved: set[Key] | None = None
    sent: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    extra: list[Row] = field(default_factory=list)
    is_verified: bool = True
    surprise: Callable[[], object] | None = None

    def node(self, name: str) -> Node:
        return Node(self, name)

    def key(self, vm: Vm, checkpoint: Checkpoint) -> Key:
        return vm.id, checkpoint.id, checkpoint.created_at

    def sound(self) -> None:
        """Raise AssertionError when anything forbidden was asked for."""
        assert self.breaches == []

    def judge(self, vm: Vm, checkpoint: Checkpoint) -> None:
        """What must never be asked for, whatever the host itself would say to it."""
        what = f"{vm.name}/{checkpoint.name}"
        reasons = {
            "nobody approved it": self.approved is not None
            and self.key(vm, checkpoint) not in self.approved,
            "the tree branches": any(len(vm.children(i)) > 1 for i in vm.checkpoints),
            "the machine is at work": self.estate.statuses(vm) != [OK],
            "a merge waits": bool(self.estate.strays(vm)) or bool(self.estate.merges),
            "it is automatic": checkpoint.automatic or checkpoint.type != "Standard",
            "another machine stands on it": self._has_strangers(vm, checkpoint),
        }
        self.breaches += [f"{what}: {reason}" for reason, is_so in reasons.items() if is_so]

    def _has_strangers(self, vm: Vm, checkpoint: Checkpoint) -> bool:
        folder = next(iter(checkpoint.drives.values())).rpartition("\\")[0]
        standing = (one for path in checkpoint.drives.values() for one in self.estate.on(path))
        return any(not one.startswith(folder) for one in standing)


class Node:
    """One host of a site."""

    def __init__(self, site: Site, name: str) -> None:
        self.site, self.estate, self.name = site, site.estate, name

    def respond(self, script: str, argument: Mapping[str, Any]) -> Iterator[str]:
        """What it prints to a script."""
        self.estate.settle()
        self.site.asked.append((self.name, script, argument))
        told = {"collect": self._collect, "remove": self._remove, "watch": self._watch}
        yield from printed([self._host(script), *told[script](argument)])

    # Collecting ---------------------------------------------------------------------------------

    def _host(self, script: str) -> Row:
        is_told = self.estate.is_cluster and script == "collect"
        return {
            "k": "host", "v": 1, "name": self.name, "os": "10.0.20348", "ps": "5.1.20348.1",
            "lang": "FullLanguage", "now": time(self.estate.now()), "culture": "de-DE",
            "uuid": self.estate.uuid, "cluster": "CLU" if is_told else None,
            "cluster_id": f"c{self.estate.uuid[1:]}" if is_told else None,
            "nodes": list(self.estate.nodes) if is_told else [],
        }  # fmt: skip

    @property
    def _vms(self) -> list[Vm]:
        return [vm for vm in self.estate.vms.values() if vm.node == self.name]

    def _collect(self, _: Mapping[str, Any]) -> Iterator[Row]:
        yield from map(self._vm, self._vms)
        yield from (_checkpoint(vm, one) for vm in self._vms for one in vm.checkpoints.values())
        tops = [*(path for vm in self._vms for path in vm.drives.values())]
        tops += [p for vm in self._vms for c in vm.checkpoints.values() for p in c.drives.values()]
        known = dict.fromkeys(one for top in tops for one in self.estate.chain(top))
        yield from map(self._disk, known)
        yield from self._loose(set(known))
        yield from self._volumes()
        yield from self.site.extra

    def _vm(self, vm: Vm) -> Row:
        return {
            "k": "vm", "id": vm.id, "name": vm.name, "state": vm.state,
            "ops": self.estate.statuses(vm), "parent": vm.current, "ckpt": 3, "auto": False,
            "repl": vm.replication, "clustered": self.estate.is_cluster, "ver": "9.0",
            "notes": vm.notes, "nomerge": False, "drives": _drives(vm.drives),
        }  # fmt: skip

    def _disk(self, path: str) -> Row:
        file = self.estate.files.get(path)
        if file is None:
            return _error("disk", path, 0x80070002 - 2**32)
        return {
            "k": "disk", "path": path, "type": 4 if file.parent else 3, "fmt": 3,
            "file": file.size, "size": 60 * GIB, "min": None, "up": file.parent, "id": None,
        }  # fmt: skip

    def _loose(self, known: set[str]) -> Iterator[Row]:
        folders = {path.rpartition("\\")[0] for path in known}
        for path, file in self.estate.files.items():
            is_loose = path.endswith(".avhdx") and path not in known
            if is_loose and path.rpartition("\\")[0] in folders:
                yield self._file(path, file.size)

    def _file(self, path: str, size: int) -> Row:
        at = self.estate.files[path].changed_at
        return {"k": "file", "path": path, "len": size, "mtime": time(at)}

    def _volumes(self) -> Iterator[Row]:
        volume = self.estate.volume
        figures = {"path": volume.path, "cap": volume.capacity, "free": volume.free}
        if volume.is_csv:
            yield {"k": "csv", **figures, "name": "V1", "owner": self.name, "maint": False}
        else:
            yield {"k": "vol", **figures, "label": "", "fs": "NTFS"}

    # Removing -----------------------------------------------------------------------------------

    def _remove(self, argument: Mapping[str, Any]) -> Iterator[Row]:
        assert argument["dry"] is False
        [target] = argument["targets"]
        happens, self.site.surprise = self.site.surprise, None
        if happens is not None:
            happens()
        yield from self._resolve(target)

    def _resolve(self, target: Row) -> Iterator[Row]:
        vm = self.estate.vms.get(target["vm"])
        if vm is None or vm.node != self.name:
            yield _error("remove", target["checkpoint"], 0x80131500 - 2**32)
            return
        checkpoint = vm.checkpoints.get(target["checkpoint"])
        if checkpoint is None:
            yield _skip(target["checkpoint"], "there are 0 checkpoints of this id")
            return
        objections = list(self._objections(target, vm, checkpoint))
        if objections:
            yield _skip(checkpoint.id, "; ".join(objections))
            return
        yield from self._removed(vm, checkpoint)

    def _removed(self, vm: Vm, checkpoint: Checkpoint) -> Iterator[Row]:
        estate = self.estate
        fate = estate.fates.pop(0) if estate.fates else Fate()
        if fate.arrives:
            self.site.sent.append(checkpoint.id)
            self.site.judge(vm, checkpoint)
        if fate.late:
            estate.in_a_while(fate.late, lambda: _late(estate, vm, checkpoint, fate))
        elif fate.arrives and not fate.lies:
            estate.remove(vm, checkpoint, fate)
        if fate.throws:
            yield _error("removal", checkpoint.id, 0x80131500 - 2**32)
            return
        if not fate.answers or fate.late or not fate.arrives:
            raise Unreachable("hv1: reading the answer: the connection was lost")
        yield {"k": "removed", "id": checkpoint.id, "ops": estate.statuses(vm)}

    def _objections(self, target: Row, vm: Vm, checkpoint: Checkpoint) -> Iterator[str]:
        """As the script has them."""
        if checkpoint.automatic:
            yield "it is automatic"
        if self.estate.statuses(vm) != [OK]:
            yield f"its machine's status is {self.estate.statuses(vm)}"
        if vm.state not in (2, 3):
            yield f"its machine's state is {vm.state}"
        if vm.replication > 1:
            yield f"its machine's replication mode is {vm.replication}"
        found = _checkpoint(vm, checkpoint)
        pairs = {
            "machine": (target["vm"], vm.id), "creation": (target["created"], found["created"]),
            "type": (target["type"], checkpoint.type),
            "parent": (target["parent"], checkpoint.parent),
            "name": (target["name"], checkpoint.name), "notes": (target["notes"], checkpoint.notes),
            "children": (set(target["children"]), {c.id for c in vm.children(checkpoint.id)}),
            "files": (_capitals(target["files"]), _capitals(checkpoint.drives.values())),
            "disks": (
                {(d["label"], *_capitals(d["paths"])) for d in target["disks"]},
                {
                    (f"SCSI 0:{slot}", *_capitals(self.estate.chain(path)))
                    for slot, path in vm.drives.items()
                },
            ),
        }  # fmt: skip
        for what, (planned, there) in pairs.items():
            if planned != there:
                yield f"{what} differs: planned {planned!r}, found {there!r}"

    # Watching -----------------------------------------------------------------------------------

    def _watch(self, argument: Mapping[str, Any]) -> Iterator[Row]:
        vm = self.estate.vms.get(argument["vm"])
        if vm is None or vm.node != self.name:
            yield _error("vm", argument["vm"], 0x80131500 - 2**32)
        else:
            yield self._vm(vm)
            yield from (
                {"k": "gone", "id": one}
                for one in argument["checkpoints"]
                if one not in vm.checkpoints
            )
        for path in argument["files"]:
            file = self.estate.files.get(path)
            if self.estate.hidden:
                yield _error("file", path, 0x80070005 - 2**32)
            else:
                yield {"k": "gone", "path": path} if file is None else self._file(path, file.size)
        for number, at, data in self.estate.events:
            if argument["since"] is not None and time(at) >= argument["since"]:
                yield {"k": "event", "id": number, "at": time(at), "data": data}
        yield from self._volumes()


def _late(estate: Estate, vm: Vm, checkpoint: Checkpoint, fate: Fate) -> None:
    if checkpoint.id in vm.checkpoints and estate.statuses(vm) == [OK]:
        estate.remove(vm, checkpoint, fate)


def _capitals(paths: Any) -> tuple[str, ...]:
    return tuple(path.upper() for path in paths)


def _checkpoint(vm: Vm, one: Checkpoint) -> Row:
    return {
        "k": "cp", "id": one.id, "vm": vm.id, "name": one.name, "type": one.type,
        "created": time(one.created_at), "parent": one.parent, "auto": one.automatic, "state": 3,
        "sys": 68_000, "notes": one.notes, "drives": _drives(one.drives),
    }  # fmt: skip


def _drives(drives: Mapping[int, str]) -> list[Row]:
    return [
        {"ct": "SCSI", "cn": 0, "cl": slot, "path": path, "disk": None, "shared": False}
        for slot, path in drives.items()
    ]


def _error(where: str, of: str, number: int) -> Row:
    words = "Hyper-V konnte das Objekt nicht finden."
    return {"k": "err", "where": where, "id": of, "fqid": None, "hr": number, "msg": words}


def _skip(checkpoint: str, why: str) -> Row:
    return {"k": "skip", "id": checkpoint, "why": why}


@dataclass
class Direct:
    """A `Runner` for a node without a wire in between; every run is counted by the peril.

    ``slow``: what happens between a question and its answer.
    """

    node: Node
    is_verified: bool = True
    has_sent: bool = False

    @property
    def host(self) -> str:
        return f"https://{self.node.name.lower()}.example.org"

    def run(self, script: str, argument: Mapping[str, Any]) -> Iterator[str]:
        site, self.has_sent = self.node.site, False
        if script == "remove":
            site.peril.point("before the call")
        site.estate.settle()
        if self.node.name.lower() in site.estate.down:
            raise Unreachable(f"{self.host}: opening a shell: nothing listens there")
        self.has_sent = True
        fate = site.estate.fates[0] if script == "remove" and site.estate.fates else Fate()
        lines = list(self.node.respond(script, argument))
        if script == "remove":
            site.peril.point("after the call")
        yield from lines[: fate.cut]

    def close(self) -> None:
        """Nothing is open."""
