"""The calls that change a pool, by the rules of XAPI: who is busy, blocked, in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.beds.xapi.table import NULL, Record
from tests.beds.xapi.world import World


class Fault(Exception):
    """An answer that is an error: its code and texts."""

    def __init__(self, *details: str) -> None:
        self.details = list(details)
        super().__init__(*details)


class Deeds:
    """``collects``: whether the garbage collector runs right after an image was destroyed.

    ``keeps_memory``: whether the image of a checkpoint's memory survives that it is discarded.
    """

    def __init__(self, world: World) -> None:
        self.world, self.collects, self.keeps_memory = world, False, False
        self.known: Mapping[str, Callable[..., Any]] = {
            "VM.destroy": self.destroy_vm,
            "VM.hard_shutdown": self.hard_shutdown,
            "VDI.destroy": self.destroy_vdi,
            "task.destroy": self.destroy_task,
        }

    def record(self, name: str, ref: str) -> Record:
        """The record of a reference. Raises HANDLE_INVALID."""
        try:
            return self.world.db.get(name, ref)
        except KeyError as error:
            raise Fault("HANDLE_INVALID", name, ref) from error

    def destroy_vm(self, ref: str) -> str:
        record = self.record("VM", ref)
        if "destroy" in record["blocked_operations"]:
            raise Fault("OPERATION_BLOCKED", ref, record["blocked_operations"]["destroy"])
        if record["is_default_template"]:
            raise Fault("VM_IS_TEMPLATE", ref, "destroy")
        if record["current_operations"]:
            raise Fault("OTHER_OPERATION_IN_PROGRESS", "VM", ref)
        if record["power_state"] not in ("Halted", "Suspended"):
            raise Fault("VM_BAD_POWER_STATE", ref, "halted", record["power_state"].lower())
        self._hand_down(ref, record)
        for use in record["VBDs"]:
            self._destroy_vbd(use)
        del self.world.db.classes["VM"][ref]
        return ""

    def _hand_down(self, ref: str, record: Record) -> None:
        """The children of what goes are its parent's."""
        db = self.world.db
        for child in record["children"]:
            if child in db.classes["VM"]:
                db.get("VM", child)["parent"] = record["parent"]
        if record["parent"] in db.classes["VM"]:
            above = db.get("VM", record["parent"])["children"]
            above[:] = [each for each in above if each != ref] + record["children"]

    def _destroy_vbd(self, ref: str) -> None:
        """One that counts as attached stays behind, and keeps its disk in use."""
        db = self.world.db
        use = db.classes["VBD"].get(ref)
        if use is None or use["currently_attached"]:
            return
        disk = db.classes["VDI"].get(use["VDI"])
        if disk is not None:
            disk["VBDs"].remove(ref)
        del db.classes["VBD"][ref]

    def hard_shutdown(self, ref: str) -> str:
        record = self.record("VM", ref)
        if record["power_state"] == "Halted":
            raise Fault("VM_BAD_POWER_STATE", ref, "running", "halted")
        if record["suspend_VDI"] != NULL and not self.keeps_memory:
            self.destroy_vdi(record["suspend_VDI"])
        record.update(power_state="Halted", suspend_VDI=NULL, resident_on=NULL)
        for use in record["VBDs"]:
            self.world.db.get("VBD", use)["currently_attached"] = False
        return ""

    def destroy_vdi(self, ref: str) -> str:
        record = self.record("VDI", ref)
        uses = [self.world.db.classes["VBD"].get(each, {}) for each in record["VBDs"]]
        if any(use.get("currently_attached") for use in uses) or record["current_operations"]:
            raise Fault("VDI_IN_USE", ref, "destroy")
        sr = record["SR"]
        if not any(self.world.db.get("PBD", p)["currently_attached"] for p in self._pbds(sr)):
            raise Fault("SR_HAS_NO_PBDS", sr)
        self.world.images[sr].remove(record["uuid"])
        del self.world.db.classes["VDI"][ref]
        if self.collects:
            self.world.images[sr].collect()
        self.world.measure(sr)
        return ""

    def _pbds(self, sr: str) -> list[str]:
        return list(self.record("SR", sr)["PBDs"])

    def destroy_task(self, ref: str) -> str:
        self.record("task", ref)
        del self.world.db.classes["task"][ref]
        return ""
