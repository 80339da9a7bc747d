"""Limbs: a snapshot tree as the picture beside its rows, a lane for each branch.

A chain without a fork is one straight line; each further child leaves its parent for a lane of its
own and comes back to the eye where its row is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from snapaudit.model.inventory import Snapshot
from snapaudit.model.tree import SnapshotTree

LANE = 20
MOST_LANES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Limb:
    """What is drawn in one row: its node's lane, and the lines that touch the row.

    ``above``: a line comes down to the node. ``below``: one goes on in its lane. ``forks`` are the
    lanes that leave here, ``through`` those that only pass.
    """

    snapshot: Snapshot
    lane: int
    above: bool
    below: bool
    forks: tuple[int, ...]
    through: tuple[int, ...]

    @property
    def lanes(self) -> int:
        """How many lanes the row needs, its own included."""
        return max((self.lane, *self.forks, *self.through)) + 1


def limbs(snapshots: Iterable[Snapshot]) -> tuple[Limb, ...]:
    """The rows of a tree, parents before children, drawn in at most ``MOST_LANES`` lanes."""
    tree = SnapshotTree(snapshots)
    lanes: dict[str, int] = {}
    waiting: set[int] = set()
    rows, free = [], 0
    for depth, snapshot in tree.walk():
        if depth == 0:
            lanes[snapshot.id] = free
            free += 1
        lane = lanes[snapshot.id]
        waiting.discard(lane)
        passing = tuple(sorted(waiting - {lane}))
        children = tree.children(snapshot.id)
        forks = tuple(range(free, free + len(children[1:])))
        free += len(forks)
        lanes |= dict(zip((one.id for one in children), (lane, *forks), strict=False))
        waiting |= {lanes[one.id] for one in children}
        rows.append(_limb(snapshot, lane, depth > 0, bool(children), forks, passing))
        if not waiting:
            free = 0
    return tuple(rows)


def _limb(
    snapshot: Snapshot,
    lane: int,
    above: bool,
    below: bool,
    forks: tuple[int, ...],
    through: tuple[int, ...],
) -> Limb:
    last = MOST_LANES - 1
    return Limb(
        snapshot=snapshot,
        lane=min(lane, last),
        above=above,
        below=below,
        forks=tuple(sorted({min(one, last) for one in forks} - {lane})),
        through=tuple(sorted({min(one, last) for one in through} - {min(lane, last)})),
    )
