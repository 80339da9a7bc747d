"""Estates for the simulator, written down before it starts: real ages, chains and sizes.

A `Fleet` collects orders. Written to a file they are played at the start: some ten thousand
machines with their snapshots in a second or two. Sizes are in bytes, ages are timedeltas.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

GIB = 1 << 30
TIB = 1 << 40
Order = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A virtual disk: ``used`` of its ``capacity`` is taken, all of it when it is ``thick``.

    ``mode`` is a word of vim.vm.device.VirtualDiskOption.DiskMode, ``rdm`` the compatibility mode
    of a raw device mapping. By default it lies where its machine does.
    """

    capacity: int = 40 * GIB
    used: int = 20 * GIB
    thick: bool = False
    mode: str = "persistent"
    rdm: str = ""
    datastore: str = ""

    def order(self) -> Order:
        """As the simulator takes it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Fleet:
    """Orders in their sequence; every method adds one and takes names, not managed object ids."""

    orders: list[Order] = field(default_factory=list)

    def order(self, do: str, **words: Any) -> None:
        """Any order of `tests/beds/vsphere/orders.go`."""
        self.orders.append({"do": do, **{k: v for k, v in words.items() if v is not None}})

    def write(self, path: Path) -> Path:
        """One order in a line; give the file to a simulator as its ``play``."""
        path.write_text("".join(f"{json.dumps(one)}\n" for one in self.orders))
        return path

    # What there is --------------------------------------------------------------------------------

    def host(self, name: str, *, cluster: str) -> None:
        """A host in a cluster, which is made when it is new."""
        self.order("host", name=name, cluster=cluster)

    def datastore(
        self, name: str, *, capacity: int = 10 * TIB, free: int = 10 * TIB, kind: str = "VMFS"
    ) -> None:
        """A datastore on all hosts; ``free`` is what is free before machines come onto it."""
        self.order("datastore", name=name, capacity=capacity, free=free, kind=kind)

    def machine(
        self,
        name: str,
        *disks: Disk,
        host: str | None = None,
        datastore: str | None = None,
        folder: str | None = None,
        power: str | None = None,
        template: bool = False,
    ) -> None:
        """A machine, powered on unless it is a template. Folders are like ``prod/web``."""
        self.order(
            "machine",
            name=name,
            disks=[disk.order() for disk in disks or (Disk(),)],
            host=host,
            datastore=datastore,
            folder=folder,
            power=power,
            template=template,
        )

    def clone(self, name: str, *, of: str, snapshot: str) -> None:
        """A linked clone, whose disks stand on those of another machine's snapshot."""
        self.order("clone", name=name, of=of, snapshot=snapshot)

    # What was done to it --------------------------------------------------------------------------

    def snapshot(
        self,
        vm: str,
        name: str,
        *,
        age: timedelta = timedelta(days=1),
        at: datetime | None = None,
        written: int = GIB,
        memory: int = 0,
        description: str = "",
        quiesced: bool = False,
        state: str | None = None,
    ) -> None:
        """A snapshot under the current one; ``written`` to each disk since it was taken."""
        self.order(
            "snapshot",
            vm=vm,
            name=name,
            age=int(age.total_seconds()),
            at=at.isoformat() if at is not None else None,
            written=written,
            memory=memory,
            description=description,
            quiesced=quiesced,
            state=state,
        )

    def revert(self, vm: str, snapshot: str) -> None:
        """Go back to a snapshot, and on from there."""
        self.order("revert", vm=vm, snapshot=snapshot)

    def left_behind(self, vm: str, snapshot: str) -> None:
        """A removal that stopped half way: the snapshot is gone, its deltas are in the chain."""
        self.order("remove", vm=vm, snapshot=snapshot, half=True)

    def put(self, thing: str, path: str, value: object) -> None:
        """A property of anything by its path, in the form that JSON has for it."""
        self.order("set", object=thing, path=path, value=value)

    def attribute(self, vm: str, name: str, value: str) -> None:
        """A custom attribute."""
        self.order("attribute", vm=vm, name=name, value=value)

    def task(
        self,
        vm: str,
        description: str,
        *,
        state: str = "running",
        user: str = "somebody",
        result: str | None = None,
        age: timedelta = timedelta(0),
    ) -> None:
        """A task of somebody else on a machine, now or in the past."""
        self.order(
            "task",
            vm=vm,
            name=description,
            description=description,
            state=state,
            user=user,
            result=result,
            age=int(age.total_seconds()),
        )

    def file(self, path: str, size: int) -> None:
        """A file ``[datastore] folder/name`` that belongs to no machine."""
        self.order("file", path=path, size=size)


def many(
    count: int, *, snapshots: int = 2, datastores: Sequence[str] = (), written: int = GIB
) -> Fleet:
    """So many machines, alike but for their names, ages and datastores."""
    fleet = Fleet()
    for name in datastores:
        fleet.datastore(name, capacity=count * TIB, free=count * TIB)
    for number in range(count):
        name = f"server-{number:05}"
        fleet.machine(
            name,
            Disk(),
            datastore=datastores[number % len(datastores)] if datastores else None,
            folder=f"group-{number % 20}",
        )
        for taken in range(snapshots):
            age = timedelta(days=1 + (number + taken * 7) % 60 + (snapshots - taken) * 60)
            fleet.snapshot(name, f"before change {taken + 1}", age=age, written=written)
    return fleet
