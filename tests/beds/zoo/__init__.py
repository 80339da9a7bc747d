"""Every kind of snapshot and of trouble around it, staged on real machines of a bed.

Each stage is a function that builds one or a few machines and tells what it built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.beds.libvirtd import LibvirtBed
from tests.beds.zoo import clones, external, internal, storage, unusual
from tests.beds.zoo.records import StagedMachine, StagedStorage
from tests.beds.zoo.yard import Yard

_AT_ONCE = 4
_STAGES: tuple[Callable[[Yard], list[StagedMachine]], ...] = (
    unusual.managed_save,
    internal.internal_running,
    external.external_running,
    external.external_memory,
    external.paused,
    external.some_disks,
    storage.memory_left_behind,
    unusual.phantom_never_registered,
    unusual.phantom_forgotten,
    unusual.checkpointed,
    unusual.transient,
    unusual.commit_ready,
    unusual.backup_running,
    unusual.plain,
    unusual.broken,
    internal.internal_off,
    internal.branches,
    internal.unregistered,
    internal.dataless,
    external.external_off,
    external.mixed,
    clones.template_with_clones,
    clones.clone_of_an_overlay,
    clones.single_clone,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoo:
    """All that was staged on a bed, by the names of the machines, and when it was."""

    bed: LibvirtBed
    began_at: datetime
    ended_at: datetime
    machines: Mapping[str, StagedMachine]
    storage: StagedStorage

    def shared_images(self) -> frozenset[Path]:
        """Images that more than one machine stands on: a merge into one would harm the others."""
        counts = Counter(
            image
            for machine in self.machines.values()
            for image in {path for chain in machine.chains.values() for path in chain}
        )
        return frozenset(image for image, machines in counts.items() if machines > 1)


def build_zoo(bed: LibvirtBed) -> Zoo:
    """Stage everything on an empty bed; whatever a stage raises ends it."""
    began_at = datetime.now(UTC)
    yard = Yard(bed, bed.pool())
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        found = threads.map(lambda stage: stage(yard), _STAGES)
        staged = [machine for machines in found for machine in machines]
    stored = storage.storage(yard)
    return Zoo(
        bed=bed,
        began_at=began_at,
        ended_at=datetime.now(UTC),
        machines={machine.name: machine for machine in staged},
        storage=stored,
    )
