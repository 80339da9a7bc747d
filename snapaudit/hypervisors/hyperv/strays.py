"""Files that no chain of any node uses; deltas in a chain that nothing explains are in `chains`.

They are told only where everything that could use them was seen: each node answered, each machine
and chain was read, and no backup runs, which makes such files of its own. They are never deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

from snapaudit.hypervisors.hyperv import paths
from snapaudit.hypervisors.hyperv.chains import Machine
from snapaudit.hypervisors.hyperv.cluster import Reading, unclaimed
from snapaudit.hypervisors.hyperv.gaps import is_gap
from snapaudit.hypervisors.hyperv.images import Images, known, loose
from snapaudit.hypervisors.hyperv.rows import FileRow
from snapaudit.hypervisors.hyperv.statuses import BACKING_UP, CALM
from snapaudit.hypervisors.hyperv.volumes import Volumes
from snapaudit.model.inventory import StrayFile, StrayKind

QUIET = timedelta(hours=1)
"""A file that was written more lately may belong to a machine that moved while nodes were read."""


def hindrance(reading: Reading, machines: Sequence[Machine]) -> str | None:
    """Why unused files cannot be told; None: they can."""
    if reading.failed:
        return f"node {next(iter(reading.failed))} did not answer, and may use them"
    errors = (error for answer in reading.answers.values() for error in answer.errors)
    if not reading.has_disks or reading.only is not None or any(map(is_gap, errors)):
        return "not everything that may use them could be read"
    if any(True for _ in unclaimed(reading)):
        return "checkpoints were told of without their machine, whose disks may use them"
    if any(chain.trouble for machine in machines for chain in machine.chains):
        return "a chain that may use them could not be followed to its base"
    at_it = [m.found.row.name for m in machines if BACKING_UP in m.found.row.statuses]
    return f"a backup of {at_it[0]} runs, which makes files of its own" if at_it else None


def orphans(
    reading: Reading, machines: Sequence[Machine], images: Images, volumes: Volumes
) -> Iterator[StrayFile]:
    """Every automatic file in a folder with disks that no chain contains; none while in doubt."""
    if hindrance(reading, machines) is not None:
        return
    used = {key for machine in machines for key in machine.keys}
    restless = _restless(machines)
    seen: set[str] = set()
    for node, row in loose(reading):
        key = images.scope.key(node, row.path)
        is_new = key not in used and key not in seen
        if is_new and paths.is_automatic(key) and paths.folder(key) not in restless:
            seen.add(key)
            if not _is_fresh(row, node, reading):
                yield _stray(key, node, row, volumes, is_one_host=reading.is_one_host)


def _restless(machines: Sequence[Machine]) -> Collection[str]:
    """The folders of machines with which something goes on: their files come and go."""
    busy = (m for m in machines if m.found.row.statuses != (CALM,) or len(m.found.nodes) > 1)
    return {paths.folder(key) for machine in busy for key in machine.keys}


def _is_fresh(row: FileRow, node: str, reading: Reading) -> bool:
    host = reading.answers[node].host
    now = host.now if host else None
    return now is not None and row.changed_at is not None and now - row.changed_at < QUIET


def _stray(key: str, node: str, row: FileRow, volumes: Volumes, *, is_one_host: bool) -> StrayFile:
    is_local = "|" in key and not is_one_host
    return StrayFile(
        id=f"{node}:{row.path}" if is_local else row.path,
        name=paths.name(row.path),
        path=row.path,
        kind=StrayKind.OVERLAY,
        datastore_id=volumes.id(key),
        size_bytes=known(row.length),
        reason=_reason(key),
        changed_at=row.changed_at,
    )


def _reason(key: str) -> str:
    if paths.is_auto_recovery(key):
        return (
            "a backup of Windows Server 2012 R2 left it behind: no chain of any node contains it, "
            "and the next backup may fail because of it"
        )
    return "a checkpoint's file that no chain of any node contains; its folder holds disks in use"
