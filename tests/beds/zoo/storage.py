"""Files that no machine uses, and a pool whose listing is older than its files."""

from __future__ import annotations

from tests.beds.guests import Life
from tests.beds.zoo.records import StagedMachine, StagedStorage
from tests.beds.zoo.yard import Yard

_FORMER = "former-memory"


def memory_left_behind(yard: Yard) -> list[StagedMachine]:
    """A snapshot with memory was deleted: libvirt 9.0 merges the disk and leaves the memory file.

    Later ones remove it; there it is put back, as one that an older daemon had left.
    """
    image = yard.image(_FORMER)
    guest = yard.machine(_FORMER, image, life=Life.RUNNING)
    file = yard.with_memory(guest, "gone")
    memory = file.read_bytes()
    guest.domain.snapshotLookupByName("gone").delete()
    if not file.exists():
        file.write_bytes(memory)
    return [StagedMachine(name=guest.name, power="on", chains={"vda": (image,)})]


def storage(yard: Yard) -> StagedStorage:
    """The last thing to be staged: an orphan, then a refresh, then what happens after it."""
    orphan = yard.image("orphan")
    stale = Yard(yard.bed, yard.bed.pool("stale"))
    listed, vanished = stale.image("listed"), stale.image("vanished")
    for pool in yard.bed.rw.listAllStoragePools():
        pool.refresh()
    vanished.unlink()
    return StagedStorage(
        pool=yard.pool,
        stale_pool=stale.pool,
        orphan=orphan,
        leftover_memory=yard.pool / f"{_FORMER}.gone.mem",
        listed=listed,
        unlisted=stale.image("unlisted"),
        vanished=vanished,
    )
