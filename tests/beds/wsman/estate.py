"""Machines, checkpoints and files as a management service keeps them; merges take their time.

Removing a checkpoint takes its record away at once. What it held is merged later, by the clock, and
may fail or never begin. ``holds`` are words for what guests wrote: none may ever get lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import NAMESPACE_DNS, uuid5

GIB = 2**30
OK, DELETING, MERGING = 2, 32770, 32772
RUNNING, OFF = 2, 3
MERGED, MERGE_FAILED = 19080, 19100


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of one removal. By default it arrives, is answered, and merges after a while.

    ``throws``: the cmdlet fails before it did anything, or with ``arrives`` after it did.
    ``answers``: False: the connection breaks first. ``cut``: so many rows of the answer come.
    ``lies``: it says removed, and nothing was. ``late``: seconds that it is on its way, its answer
    lost. ``waits``: seconds without any status before merging begins; ``seconds``: of each merge.
    ``fails``: how many merges go well before one fails. ``stalls``: merging never begins.
    """

    arrives: bool = True
    answers: bool = True
    throws: bool = False
    cut: int | None = None
    lies: bool = False
    late: float = 0.0
    waits: float = 0.0
    seconds: float = 40.0
    fails: int | None = None
    stalls: bool = False


@dataclass(slots=True)
class File:
    path: str
    parent: str | None
    size: int
    holds: set[str]
    changed_at: datetime


@dataclass(slots=True)
class Checkpoint:
    id: str
    name: str
    created_at: datetime
    drives: dict[int, str]
    parent: str | None
    notes: str = ""
    type: str = "Standard"
    automatic: bool = False


@dataclass(slots=True)
class Vm:
    """``busy`` are statuses beside those that come of removals and merges."""

    id: str
    name: str
    node: str
    drives: dict[int, str]
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    current: str | None = None
    state: int = RUNNING
    notes: str = ""
    replication: int = 0
    busy: list[int] = field(default_factory=list)

    def children(self, checkpoint: str) -> list[Checkpoint]:
        return [one for one in self.checkpoints.values() if one.parent == checkpoint]


@dataclass(slots=True)
class Merge:
    """One file on its way into the one below. ``begins_at`` None: it never does."""

    vm: str
    child: str
    into: str
    begins_at: datetime | None
    due_at: datetime
    fails: bool


@dataclass(slots=True)
class Volume:
    path: str
    capacity: int = 4000 * GIB
    free: int = 2000 * GIB
    is_csv: bool = False


@dataclass
class Estate:
    """One host, or one cluster of those nodes. ``now`` is everybody's clock.

    ``down`` are nodes that do not answer. ``hidden``: nobody may look into the folders.
    """

    now: Callable[[], datetime]
    nodes: tuple[str, ...] = ("HV1",)
    is_cluster: bool = False
    vms: dict[str, Vm] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    events: list[tuple[int, datetime, list[str]]] = field(default_factory=list)
    later: list[tuple[datetime, Callable[[], object]]] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    hidden: bool = False
    uuid: str = "4c4c4544-0042-3510-8052-b4c04f4a4d31"
    volume: Volume = field(init=False)
    _count: int = 0

    def __post_init__(self) -> None:
        path = "C:\\ClusterStorage\\Volume1" if self.is_cluster else "D:\\"
        self.volume = Volume(path, is_csv=self.is_cluster)

    # Making -------------------------------------------------------------------------------------

    def guid(self, of: str = "") -> str:
        self._count += 1
        return str(uuid5(NAMESPACE_DNS, f"{of!a} {self._count}"))

    def machine(self, name: str, *, disks: int = 1, node: str | None = None) -> Vm:
        """A running machine with plain disks."""
        identity = self.guid(name)
        drives = {n: f"{self._folder(identity)}\\disk{n}.vhdx" for n in range(disks)}
        for path in drives.values():
            self._put(path, None, 20 * GIB, {"base"})
        self.vms[identity] = Vm(identity, name, node or self.nodes[0], drives)
        return self.vms[identity]

    def line(self, name: str, *checkpoints: str, disks: int = 1, node: str | None = None) -> Vm:
        """A machine with a straight line of checkpoints, the oldest first."""
        vm = self.machine(name, disks=disks, node=node)
        for number, one in enumerate(checkpoints):
            self.take(vm, one, age=timedelta(days=30 - number))
        return vm

    def bystander(self, name: str = "db01") -> Vm:
        """A machine with so many young checkpoints that a few others are no large share."""
        vm = self.machine(name)
        for number in range(12):
            self.take(vm, f"young {number}")
        return vm

    def take(self, vm: Vm, name: str, *, age: timedelta = timedelta(0)) -> Checkpoint:
        """A checkpoint, and a new file for each drive, into which something is written."""
        taken = Checkpoint(self.guid(name), name, self.now() - age, dict(vm.drives), vm.current)
        for slot, path in taken.drives.items():
            new = f"{self._folder(vm.id)}\\disk{slot}_{self.guid().upper()}.avhdx"
            self._put(new, path, GIB, {f"after {name}"})
            vm.drives[slot] = new
        vm.checkpoints[taken.id] = taken
        vm.current = taken.id
        return taken

    def retake(self, vm: Vm, old: Checkpoint) -> None:
        """Somebody deletes it and takes one of the same name, notes and time, at the same place."""
        del vm.checkpoints[old.id]
        new = Checkpoint(self.guid(old.name), old.name, old.created_at, old.drives, old.parent)
        for child in vm.checkpoints.values():
            child.parent = new.id if child.parent == old.id else child.parent
        vm.checkpoints[new.id] = new
        vm.current = new.id if vm.current == old.id else vm.current

    def clone(self, vm: Vm, name: str) -> Vm:
        """A machine whose disk stands on what the first checkpoint of another one holds."""
        held = next(iter(vm.checkpoints.values())).drives[0]
        identity = self.guid(name)
        path = f"{self._folder(identity)}\\disk0.vhdx"
        self._put(path, held, GIB, {f"of {name}"})
        self.vms[identity] = Vm(identity, name, vm.node, {0: path})
        return self.vms[identity]

    def _folder(self, identity: str) -> str:
        return f"{self.volume.path.rstrip(chr(92))}\\VMs\\{identity}"

    def _put(self, path: str, parent: str | None, size: int, holds: set[str]) -> None:
        self.files[path] = File(path, parent, size, holds, self.now())

    # Looking ------------------------------------------------------------------------------------

    def on(self, path: str) -> list[str]:
        return [one.path for one in self.files.values() if one.parent == path]

    def chain(self, path: str) -> list[str]:
        """A file and all below it, base first."""
        found: list[str] = []
        at: str | None = path
        while at is not None and at not in found:
            found.insert(0, at)
            at = self.files[at].parent if at in self.files else None
        return found

    def reads(self, vm: Vm) -> set[str]:
        """What the guest finds on all its disks."""
        every = (self.files[one] for path in vm.drives.values() for one in self.chain(path))
        return {word for file in every for word in file.holds}

    def strays(self, vm: Vm) -> list[str]:
        """Automatic files of its chains that stand on what none of its checkpoints holds."""
        held = {path for one in vm.checkpoints.values() for path in one.drives.values()}
        chains = (one for path in vm.drives.values() for one in self.chain(path))
        return [p for p in chains if p.endswith(".avhdx") and self.files[p].parent not in held]

    def statuses(self, vm: Vm) -> list[int]:
        now = self.now()
        ours = [one for one in self.merges if one.vm == vm.id and one.begins_at is not None]
        merging = any(one.begins_at is not None and one.begins_at <= now for one in ours)
        return [OK, *([MERGING] if merging else []), *vm.busy]

    # Happening ----------------------------------------------------------------------------------

    def in_a_while(self, seconds: float, happens: Callable[[], object]) -> None:
        """Let something happen by itself, while somebody waits."""
        self.later.append((self.now() + timedelta(seconds=seconds), happens))

    def settle(self) -> None:
        """Let happen what should have happened by now, in its order."""
        now = self.now()
        for at, happens in sorted(self.later, key=lambda one: one[0]):
            if at <= now:
                self.later.remove((at, happens))
                self._merge_until(at)
                happens()
        self._merge_until(now)

    def _merge_until(self, at: datetime) -> None:
        for merge in sorted(self.merges, key=lambda one: one.due_at):
            if merge.begins_at is not None and merge.due_at <= at:
                self.merges.remove(merge)
                self._end(merge)

    def _end(self, merge: Merge) -> None:
        """A machine may be gone, and a file may have been merged by somebody else."""
        vm, child, into = self.vms.get(merge.vm), *map(self.files.get, (merge.child, merge.into))
        if vm is None or child is None or into is None:
            return
        growth = child.size // 2
        if merge.fails or growth > self.volume.free:
            told = [vm.name, vm.id, "The process cannot access the file.", "0x80070020"]
            self.events.append((MERGE_FAILED, merge.due_at, told))
            return
        self.events.append((MERGED, merge.due_at, [vm.name, vm.id]))
        self.volume.free += child.size - growth
        into.size, into.changed_at = into.size + growth, merge.due_at
        into.holds |= child.holds
        self._replace(vm, merge.child, merge.into)

    def _replace(self, vm: Vm, path: str, by: str) -> None:
        del self.files[path]
        for file in self.files.values():
            file.parent = by if file.parent == path else file.parent
        vm.drives = {slot: by if at == path else at for slot, at in vm.drives.items()}
        for one in vm.checkpoints.values():
            one.drives = {slot: by if at == path else at for slot, at in one.drives.items()}

    def remove(self, vm: Vm, checkpoint: Checkpoint, fate: Fate | None = None) -> None:
        """The record goes at once; what it held begins to be merged when its fate says so."""
        how = fate or Fate()
        del vm.checkpoints[checkpoint.id]
        for child in vm.children(checkpoint.id):
            child.parent = checkpoint.parent
        vm.current = checkpoint.parent if vm.current == checkpoint.id else vm.current
        begins = self.now() + timedelta(seconds=how.waits)
        for number, (child_path, into) in enumerate(self._pairs(checkpoint)):
            due = begins + timedelta(seconds=how.seconds * (number + 1))
            begun = None if how.stalls else begins
            fails = how.fails is not None and number >= how.fails
            self.merges.append(Merge(vm.id, child_path, into, begun, due, fails))

    def _pairs(self, checkpoint: Checkpoint) -> Iterator[tuple[str, str]]:
        for into in checkpoint.drives.values():
            standing = self.on(into)
            if len(standing) == 1:
                yield standing[0], into
