"""A pool made up for a test: hosts, storage, machines, snapshots, and people who change them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.beds.xapi.database import Database
from tests.beds.xapi.images import Images
from tests.beds.xapi.table import NULL, Record

BLOCK = 2 * 2**20
META = 24 * 2**10
GIB = 2**30
THICK = ("lvm", "lvmoiscsi", "lvmohba")
AGED = timedelta(days=40)
_ALLOWED = ["destroy", "hard_shutdown", "revert", "clone", "copy", "export"]


class World:
    """Everything the server knows. Machines, snapshots and disks go by their UUID."""

    def __init__(self) -> None:
        self.db = Database()
        self.images: dict[str, Images] = {}
        self.skew = timedelta(0)
        self.pool = self.db.add("pool", name_label="pool one")
        self.master = self.host("host-1")
        self.db.get("pool", self.pool)["master"] = self.master
        self.default_sr = self.sr("local")

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skew

    # The frame ----------------------------------------------------------------------------------

    def host(self, name: str) -> str:
        """A host with its control domain; its reference."""
        software = {"product_brand": "XCP-ng", "product_version": "8.3.0"}
        ref = self.db.add(
            "host", name_label=name, hostname=name, address=name, software_version=software
        )
        self.db.add(
            "VM", name_label=f"Control domain on {name}", is_control_domain=True,
            power_state="Running", resident_on=ref, domid=0,
        )  # fmt: skip
        return ref

    def sr(self, name: str, kind: str = "ext", size: int = 1000 * GIB, **more: Any) -> str:
        """A storage repository that the coordinator has attached; its reference."""
        ref = self.db.add("SR", name_label=name, type=kind, physical_size=size, **more)
        pbd = self.db.add("PBD", host=self.master, SR=ref)
        self.db.get("SR", ref)["PBDs"].append(pbd)
        self.images[ref] = Images()
        self.measure(ref)
        return ref

    # Machines -----------------------------------------------------------------------------------

    def vm(
        self, name: str, *, disks: int = 1, sr: str | None = None, running: bool = True,
        blocks: Iterable[int] = range(64), **more: Any,
    ) -> str:  # fmt: skip
        """A machine with disks of which these blocks are written."""
        state = {"power_state": "Running", "resident_on": self.master} if running else {}
        ref = self.db.add("VM", name_label=name, **(state | more))
        self.db.get("VM", ref)["allowed_operations"] = ["snapshot", "destroy"]
        for position in range(disks):
            vdi = self.disk(f"{name} disk {position}", sr=sr, blocks=blocks)
            self.attach(ref, vdi, position, attached=running)
        return str(self.db.get("VM", ref)["uuid"])

    def disk(
        self, name: str, *, sr: str | None = None, blocks: Iterable[int] = (),
        virtual_size: int = 8 * GIB, parent: str | None = None, **more: Any,
    ) -> str:  # fmt: skip
        """A disk that nobody uses yet; its reference."""
        where = sr or self.default_sr
        ref = self.db.add("VDI", name_label=name, SR=where, virtual_size=virtual_size, **more)
        self.images[where].create(self.db.get("VDI", ref)["uuid"], blocks, parent)
        self.measure(where)
        return ref

    def attach(
        self, vm: str, vdi: str, position: int, *, attached: bool = False, owner: bool = True
    ) -> str:
        """Let a machine use a disk, both by reference."""
        ref = self.db.add(
            "VBD", VM=vm, VDI=vdi, userdevice=str(position), currently_attached=attached,
            other_config={"owner": ""} if owner else {},
        )  # fmt: skip
        self.db.get("VM", vm)["VBDs"].append(ref)
        self.db.get("VDI", vdi)["VBDs"].append(ref)
        return ref

    def disks(self, vm: str) -> list[str]:
        """The UUIDs of the disks of a machine or snapshot."""
        uses = [self.db.get("VBD", ref) for ref in self.vm_record(vm)["VBDs"]]
        return [str(self.db.get("VDI", use["VDI"])["uuid"]) for use in uses]

    def vm_record(self, vm: str) -> Record:
        return self.db.by_uuid("VM", vm)

    def vdi_record(self, vdi: str) -> Record:
        return self.db.by_uuid("VDI", vdi)

    # Snapshots ----------------------------------------------------------------------------------

    def snapshot(
        self, vm: str, name: str, *, age: timedelta = AGED, write: Iterable[int] = range(8),
        **more: Any,
    ) -> str:  # fmt: skip
        """Take a snapshot that is so old, and let the guest write these blocks afterwards."""
        live_ref, live = self.db.ref("VM", vm), self.vm_record(vm)
        at = (self.now() - age).replace(microsecond=0)
        state = {
            "power-state-at-snapshot": live["power_state"],
            "disk-snapshot-type": "crash_consistent",
        }
        values: dict[str, Any] = {
            "name_label": name,
            "is_a_template": True,
            "is_a_snapshot": True,
            "tags": list(live["tags"]),
            "other_config": dict(live["other_config"]),
            "snapshot_of": live_ref,
            "snapshot_time": at,
            "snapshot_info": state,
            "parent": live["parent"],
            "allowed_operations": list(_ALLOWED),
        }
        ref = self.db.add("VM", **(values | more))
        for use in [self.db.get("VBD", each) for each in live["VBDs"]]:
            leaf = self.snapshot_disk(use["VDI"], at)
            self.attach(ref, leaf, int(use["userdevice"]))
        if live["parent"] != NULL:
            self._swap_child(live["parent"], live_ref, ref)
        live["parent"] = ref
        self.db.get("VM", ref)["children"] = [live_ref]
        live["snapshots"].append(ref)
        self.write(vm, write)
        return str(self.db.get("VM", ref)["uuid"])

    def _swap_child(self, parent: str, old: str, new: str) -> None:
        children = self.db.get("VM", parent)["children"]
        children[:] = [new if each == old else each for each in children] or [new]

    def checkpoint(self, vm: str, name: str, *, memory: int = GIB, **more: Any) -> str:
        """A snapshot with memory: suspended, and its disks count as attached."""
        uuid = self.snapshot(vm, name, **more)
        record = self.vm_record(uuid)
        sr = self.db.get("VDI", self.db.ref("VDI", self.disks(uuid)[0]))["SR"]
        blocks = range(memory // BLOCK)
        record["suspend_VDI"] = self.disk("memory", sr=sr, blocks=blocks, type="suspend")
        record["power_state"] = "Suspended"
        for ref in record["VBDs"]:
            self.db.get("VBD", ref)["currently_attached"] = True
        return uuid

    def snapshot_disk(self, vdi: str, at: datetime) -> str:
        """Take a snapshot of one disk alone; its reference."""
        live = self.db.get("VDI", vdi)
        base = self.db.add(
            "VDI", name_label="base copy", SR=live["SR"], virtual_size=live["virtual_size"],
            managed=False,
        )  # fmt: skip
        leaf = self.db.add(
            "VDI", name_label=live["name_label"], SR=live["SR"], is_a_snapshot=True,
            virtual_size=live["virtual_size"], snapshot_of=vdi, snapshot_time=at,
            other_config=dict(live["other_config"]),
        )  # fmt: skip
        names = {"base": self.db.get("VDI", base)["uuid"], "new": self.db.get("VDI", leaf)["uuid"]}
        self.images[live["SR"]].snapshot(live["uuid"], **names)
        live["snapshots"].append(leaf)
        self.measure(live["SR"])
        return leaf

    def clone(self, vm: str, name: str) -> str:
        """A fast clone of a machine or snapshot: its disks stand on the same base copies."""
        uuid = self.vm(name, disks=0, running=False)
        for position, disk in enumerate(self.disks(vm)):
            leaf = self.snapshot_disk(self.db.ref("VDI", disk), self.now())
            self.db.get("VDI", leaf).update(
                is_a_snapshot=False, snapshot_of=NULL, name_label=f"{name} disk"
            )
            self.attach(self.db.ref("VM", uuid), leaf, position)
        return uuid

    def write(self, vm: str, blocks: Iterable[int]) -> None:
        """Let the guest write these blocks to each of its disks."""
        written = set(blocks)
        for disk in self.disks(vm):
            sr = self.vdi_record(disk)["SR"]
            self.images[sr].write(disk, written)
            self.measure(sr)

    # Storage ------------------------------------------------------------------------------------

    def collect(self, sr: str | None = None, *, steps: int | None = None) -> None:
        """Let the garbage collector work, so many merges or until it is done."""
        where = sr or self.default_sr
        if steps is None:
            self.images[where].collect()
        for _ in range(steps or 0):
            self.images[where].step()
        self.measure(where)

    def measure(self, sr: str) -> None:
        """Let the database say what the storage holds, as a scan does."""
        images, record = self.images[sr], self.db.get("SR", sr)
        for ref, vdi in list(self.db.where("VDI", lambda each: each["SR"] == sr)):
            image = images.by_uuid.get(vdi["uuid"])
            if image is None:
                if not vdi["managed"]:
                    del self.db.classes["VDI"][ref]
                continue
            is_full = record["type"] in THICK and vdi["managed"] and not vdi["is_a_snapshot"]
            size = len(image.blocks) * BLOCK + META
            vdi["physical_utilisation"] = vdi["virtual_size"] if is_full else size
            config = {k: v for k, v in vdi["sm_config"].items() if k != "vhd-parent"}
            vdi["sm_config"] = config | ({"vhd-parent": image.parent} if image.parent else {})
        disks = [each for _, each in self.db.where("VDI", lambda each: each["SR"] == sr)]
        record["physical_utilisation"] = 4096 + sum(d["physical_utilisation"] for d in disks)
        record["virtual_allocation"] = sum(d["virtual_size"] for d in disks)

    def used(self, sr: str | None = None) -> int:
        """What the images of a storage repository occupy together."""
        images = self.images[sr or self.default_sr].by_uuid.values()
        return sum(len(image.blocks) * BLOCK + META for image in images)
