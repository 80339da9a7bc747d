"""The numbers of states, statuses and replication modes; their texts are translated by Windows.

Msvm_ComputerSystem.OperationalStatus and the enumerations of the Hyper-V module. A number that is
not here counts as busy.
"""

from __future__ import annotations

from snapaudit.model.inventory import PowerState

CALM = 2
MERGING, DELETING, BACKING_UP, CRITICAL = 32772, 32770, 32776, 32782
_DEGRADED = {3: "it is degraded", 5: "a failure of it is predicted"}
_AT_WORK = {
    11: "it is in service",
    23769: "a checkpoint is being applied",
    32768: "a checkpoint is being created",
    32769: "a checkpoint is being applied",
    32770: "a checkpoint is being deleted",
    32772: "its disks are being merged",
    32773: "it is being exported",
    32774: "it is being migrated",
    32776: "it is being backed up",
    32777: "it is being modified",
    32778: "its storage is being migrated",
    32779: "its storage is being migrated",
}

RUNNING, OFF, SAVED, PAUSED, STARTING = 2, 3, 6, 9, 10
STATES = {
    RUNNING: PowerState.ON,
    OFF: PowerState.OFF,
    SAVED: PowerState.SUSPENDED,
    PAUSED: PowerState.PAUSED,
}

NO_REPLICATION, PRIMARY = 0, 1
REPLICAS = {2: "a replica", 3: "a test replica", 4: "an extended replica"}


def at_work(number: int) -> str | None:
    """What a status says goes on; None for one that says that nothing does."""
    if number in (CALM, CRITICAL) or number in _DEGRADED:
        return None
    return _AT_WORK.get(number, f"its status is {number}, which is not known")


def degraded(number: int) -> str | None:
    """What a status says is wrong with a machine; None for any other status."""
    return _DEGRADED.get(number)
