"""Company: what the machine of a snapshot adds to the picture of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Company:
    """``snapshots`` counts those of the machine; ``disk_bytes`` None: not known."""

    hypervisor: str
    snapshots: int
    rhythm: str | None
    disk_bytes: int | None
