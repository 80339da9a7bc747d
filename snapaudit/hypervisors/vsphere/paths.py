"""The property paths that are asked for: leaves only, never a whole `runtime` or `config`.

Whole structures carry words of newer releases that older clients cannot read, and most of their
bytes are of no use here. Two phases: light paths of every object, heavy ones where they matter.
"""

from __future__ import annotations

VIRTUAL_MACHINE = "VirtualMachine"
HOST = "HostSystem"
CLUSTER = "ComputeResource"
DATASTORE = "Datastore"
FOLDER = "Folder"
DATACENTER = "Datacenter"
VAPP = "VirtualApp"

LIGHT = (
    "name",
    "parent",
    "parentVApp",
    "config.instanceUuid",
    "config.uuid",
    "config.template",
    "config.annotation",
    "config.changeTrackingEnabled",
    "config.keyId",
    "config.managedBy",
    "config.forkConfigInfo",
    "config.repConfig",
    "config.files.vmPathName",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.host",
    "runtime.consolidationNeeded",
    "runtime.snapshotInBackground",
    "runtime.faultToleranceState",
    "runtime.question",
    "runtime.instantCloneFrozen",
    "runtime.quiescedForkParent",
    "snapshot",
    "datastore",
    "recentTask",
    "disabledMethod",
    "customValue",
)
HEAVY = ("layoutEx", "config.hardware.device")

AROUND = {
    HOST: (
        "name",
        "parent",
        "summary.config.product.fullName",
        "runtime.inMaintenanceMode",
        "runtime.connectionState",
    ),
    CLUSTER: ("name", "parent"),
    DATASTORE: (
        "name",
        "parent",
        "summary.capacity",
        "summary.freeSpace",
        "summary.uncommitted",
        "summary.accessible",
        "summary.maintenanceMode",
        "summary.type",
        "summary.url",
        "host",
    ),
    FOLDER: ("name", "parent"),
    DATACENTER: ("name", "parent"),
    VAPP: ("name", "parent", "parentFolder"),
}
"""Each kind of object besides virtual machines, with what is read of it."""
