"""Company: what the machine of a snapshot adds to the picture of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Company:
    """``snapshots`` counts those of the machine; ``disk_bytes`` None: not known.

    ``is_rotating``: its oldest snapshot leaves when a new one comes, as earlier runs saw.
    ``protections`` are those of the machine itself, which hold for each of its snapshots.
    """

    hypervisor: str
    snapshots: int
    rhythm: str | None
    disk_bytes: int | None
    is_rotating: bool = False
    vm_name: str = ""
    protections: frozenset[str] = frozenset()
