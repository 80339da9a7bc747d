"""Parts: what each owner has, and sums in which no byte counts twice."""

from __future__ import annotations

from collections.abc import Iterable

from snapaudit.model.inventory import ByteRange
from snapaudit.model.policy import Severity
from snapaudit.model.weekly import ListedSnapshot, OwnerPart


def total(gains: Iterable[ByteRange]) -> ByteRange:
    """What comes back when each is deleted; no upper bound where one of them has none."""
    many = tuple(gains)
    highest = [one.max for one in many if one.max is not None]
    unbound = len(many) - len(highest)
    basis = f"sum over {len(many)} snapshots that are offered, each deleted alone"
    if unbound:
        basis = f"{basis}; for {unbound} of them no upper bound is known"
    return ByteRange(
        min=sum(one.min for one in many), max=None if unbound else sum(highest), basis=basis
    )


def owner_parts(snapshots: tuple[ListedSnapshot, ...]) -> tuple[OwnerPart, ...]:
    """One part an owner, whatever the case of the name; most bytes first, nobody named last."""
    groups: dict[str | None, list[ListedSnapshot]] = {}
    for one in snapshots:
        name = one.owner.name
        groups.setdefault(name.casefold() if name is not None else None, []).append(one)
    parts = (_part(found) for found in groups.values())
    return tuple(sorted(parts, key=lambda p: (p.owner is None, -p.size_bytes, p.owner or "")))


def _part(found: list[ListedSnapshot]) -> OwnerPart:
    sizes = [one.snapshot.size_bytes for one in found]
    times = [one.snapshot.created_at for one in found if one.snapshot.created_at is not None]
    grades: list[Severity] = [one.severity for one in found if one.severity is not None]
    return OwnerPart(
        owner=found[0].owner.name,
        sources=tuple(sorted({one.owner.source for one in found})),
        virtual_machines=len({(one.home.endpoint, one.home.vm_id) for one in found}),
        snapshots=len(found),
        size_bytes=sum(size for size in sizes if size is not None),
        unknown_sizes=sizes.count(None),
        back=total(one.snapshot.reclaimable_bytes for one in found if one.is_offered),
        severity=max(grades, key=lambda grade: grade.rank, default=None),
        oldest_at=min(times, default=None),
    )
