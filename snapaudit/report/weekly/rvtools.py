"""RVTools' sheet vSnapshot: the columns that many scripts read, filled from any platform.

What no platform tells us here stays empty: the name of the snapshot's file, the size of its memory
file, the datacenter, the guest's system, the BIOS UUID.
"""

from __future__ import annotations

from collections.abc import Iterator

from snapaudit.model.inventory import PowerState
from snapaudit.model.weekly import ListedSnapshot, WeeklyReport
from snapaudit.report.workbook import Row

SHEET = "vSnapshot"
COLUMNS = (
    "VM", "Powerstate", "Name", "Description", "Date / time", "Filename", "Size MiB (vmsn)",
    "Size MiB (total)", "Quiesced", "State", "Annotation", "Datacenter", "Cluster", "Host",
    "Folder", "OS according to the configuration file", "OS according to the VMware Tools", "VM ID",
    "VM UUID", "VI SDK Server", "VI SDK UUID",
)  # fmt: skip
_MIB = 2**20
_POWER = {
    PowerState.ON: "poweredOn",
    PowerState.OFF: "poweredOff",
    PowerState.SUSPENDED: "suspended",
}


def rows(report: WeeklyReport) -> Iterator[Row]:
    """The head and one row a snapshot; sizes are MiB, times UTC."""
    yield COLUMNS
    for one in report.snapshots:
        yield (*_told(one), *_placed(one))


def _told(one: ListedSnapshot) -> Row:
    shot, size = one.snapshot, one.snapshot.size_bytes
    return (
        one.home.vm_name,
        _POWER.get(one.home.power_state),
        shot.name,
        shot.description or None,
        shot.created_at,
        None,
        None,
        None if size is None else round(size / _MIB, 3),
        shot.is_quiesced,
        _POWER.get(shot.power_state),
    )


def _placed(one: ListedSnapshot) -> Row:
    home = one.home
    return (
        home.notes or None,
        None,
        home.cluster,
        home.host,
        home.folder,
        None,
        None,
        home.vm_id,
        None,
        home.endpoint,
        home.manager_id,
    )
