"""What is read besides the property collector, where an endpoint wants it: tags, makers, strays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from snapaudit.hypervisors.vsphere.creators import Creators
from snapaudit.hypervisors.vsphere.orphans import Orphans
from snapaudit.hypervisors.vsphere.raw import RawObject, RawTree
from snapaudit.hypervisors.vsphere.tags import Tags
from snapaudit.model.inventory import Datastore

ReadTags = Callable[[Sequence[str]], Tags]
"""Machines by their reference."""
ReadCreators = Callable[[Mapping[str, RawTree], datetime], Creators]
"""Trees by machine, and the server's time."""
SearchOrphans = Callable[[Sequence[Datastore], Sequence[RawObject], datetime], Orphans]
"""Datastores, all machines with files and disks, and the server's time before they were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """Each None: it is not asked for."""

    tags: ReadTags | None = None
    creators: ReadCreators | None = None
    orphans: SearchOrphans | None = None
