"""Counts clusters by who refers to them. A state is a number: 0 the present one, then snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

ACTIVE = 0

Group = tuple[Sequence[int], Set[int]]
"""States that refer to the same clusters, in rising order, and these clusters."""


class Tally:
    """Per state the clusters it has alone and those the present state lacks."""

    def __init__(self, states: int) -> None:
        self.alone = [0] * states
        self.not_in_active = [0] * states
        self.held = 0

    def add(self, groups: Iterable[Group]) -> None:
        """Count all clusters of one place; each state is in one group at most."""
        active: Set[int] = frozenset()
        others: list[Group] = []
        for states, clusters in groups:
            if states[0] == ACTIVE:
                active = clusters
            else:
                others.append((states, clusters))
        once: set[int] = set()
        twice: set[int] = set()
        for states, clusters in others:
            fresh = clusters - active if active else clusters
            twice |= once & fresh
            once |= fresh
            for state in states:
                self.not_in_active[state] += len(fresh)
        self.held += len(once)
        for states, clusters in others:
            if len(states) == 1:
                self.alone[states[0]] += len(clusters - active - twice)

    def add_shared(self, states: Sequence[int], clusters: int) -> None:
        """Count a number of clusters to which exactly these states refer."""
        if states[0] == ACTIVE:
            return
        self.held += clusters
        for state in states:
            self.not_in_active[state] += clusters
        if len(states) == 1:
            self.alone[states[0]] += clusters
