"""What an actuator says about itself, about the call it would make, and about one under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from snapaudit.model.policy import Remedy


class MergeOrder(StrEnum):
    """In which order a platform merges a line of snapshots best."""

    LEAF_FIRST = "leaf-first"
    OLDEST_FIRST = "oldest-first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What enforcement can do on a platform, and in which order along a chain.

    ``own_traces``: the words of protections that half-done work of our own brings about.
    """

    supports: frozenset[Remedy] = frozenset()
    order: MergeOrder = MergeOrder.LEAF_FIRST
    own_traces: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One mutating call, as data: enough to make it and to recognise it afterwards.

    ``completes``: it ends a job of our own, which keeps the machine busy until then. ``follows``:
    it would not be due if the call before it had come to nothing, even where no chain has changed
    yet. ``tidies``: it clears away what a merge that is over left behind; no data depends on it any
    more, so a second thought has nothing to save. ``spares``: it writes into no image, so that what
    the snapshot froze is whole as long as nothing else was sent. These three are no part of what
    the call is.
    """

    name: str
    about: Mapping[str, str | int | None] = field(default_factory=dict)
    completes: bool = False
    follows: bool = field(default=False, compare=False)
    tidies: bool = field(default=False, compare=False)
    spares: bool = field(default=False, compare=False)


class Phase(StrEnum):
    """How far a call that was sent has come."""

    RUNNING = "running"
    OVER = "over"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of a call under way. ``reason`` only when it failed, in the platform's words.

    OVER and FAILED are what the platform says; what is so is seen by reading again.
    """

    phase: Phase
    done_bytes: int | None = None
    total_bytes: int | None = None
    reason: str | None = None
