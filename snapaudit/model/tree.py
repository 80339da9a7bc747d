"""SnapshotTree: how the snapshots of one machine descend from one another.

A tree is not a chain: the chain is the line of disk images on a datastore.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from snapaudit.model.inventory import Snapshot

_NEVER = datetime.max.replace(tzinfo=UTC)


def _age_order(snapshot: Snapshot) -> tuple[datetime, str]:
    return (snapshot.created_at or _NEVER, snapshot.id)


class SnapshotTree:
    """The snapshots of one machine, oldest first on every level.

    A snapshot whose parent is not among them, or that is its own ancestor, counts as a root: what a
    damaged record says is shown, never followed in a circle and never dropped.
    """

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._by_id = {snapshot.id: snapshot for snapshot in sorted(snapshots, key=_age_order)}
        self._children: dict[str | None, list[Snapshot]] = {}
        for snapshot in self._by_id.values():
            self._children.setdefault(self._true_parent(snapshot), []).append(snapshot)

    def _true_parent(self, snapshot: Snapshot) -> str | None:
        return (
            None
            if snapshot.parent_id not in self._by_id or self._is_in_circle(snapshot)
            else (snapshot.parent_id)
        )

    def _is_in_circle(self, snapshot: Snapshot) -> bool:
        seen = {snapshot.id}
        at = self._by_id.get(snapshot.parent_id or "")
        while at is not None and at.id not in seen:
            seen.add(at.id)
            at = self._by_id.get(at.parent_id or "")
        return at is not None and at.id == snapshot.id

    @property
    def roots(self) -> tuple[Snapshot, ...]:
        """The snapshots without a parent, oldest first."""
        return tuple(self._children.get(None, ()))

    def children(self, snapshot_id: str) -> tuple[Snapshot, ...]:
        """The direct children of a snapshot, oldest first."""
        return tuple(self._children.get(snapshot_id, ()))

    def walk(self) -> Iterator[tuple[int, Snapshot]]:
        """Every snapshot once with its depth (roots: 0), parents before children."""
        stack = [(0, root) for root in reversed(self.roots)]
        while stack:
            depth, snapshot = stack.pop()
            yield depth, snapshot
            stack.extend((depth + 1, child) for child in reversed(self.children(snapshot.id)))

    def path(self, snapshot_id: str) -> tuple[Snapshot, ...]:
        """The line from the root down to this snapshot, both included."""
        line: list[Snapshot] = []
        at = self._by_id.get(snapshot_id)
        while at is not None:
            line.append(at)
            at = self._by_id.get(self._true_parent(at) or "")
        return tuple(reversed(line))
