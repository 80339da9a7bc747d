"""TST-09: what a network does to a conversation, as one table for all platforms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from tests.beds.line import Line


@dataclass(frozen=True, slots=True)
class Talk:
    """How long an undisturbed conversation is, in bytes of answers on its longest connection.

    ``handshake`` is the part that agrees on the encryption; 0 where there is none.
    """

    handshake: int
    whole: int

    @property
    def early(self) -> int:
        """Within the handshake, or else within the head of the first answer."""
        return self.handshake // 2 or 10

    @property
    def first(self) -> int:
        """Within the first answer after it."""
        return self.handshake + 20

    @property
    def middle(self) -> int:
        """Within a later answer."""
        return self.handshake + (self.whole - self.handshake) * 2 // 3


class End(Enum):
    """How a reading ends."""

    WHOLE = auto()
    MISSED = auto()
    """It is missing or partial, with a reason."""
    LATE = auto()
    """It is missing, and its deadline is the reason."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One fault, and how a reading through it ends."""

    name: str
    line: Callable[[Talk], Line]
    end: End


CALM = Outage("calm", lambda _: Line(), End.WHOLE)
OUTAGES = (
    CALM,
    Outage("delay", lambda _: Line(delay=0.02), End.WHOLE),
    Outage("throttle", lambda _: Line(bytes_per_second=200_000), End.WHOLE),
    Outage("trickle", lambda _: Line(bytes_per_second=40), End.LATE),
    Outage("refused", lambda _: Line(refuses=True), End.MISSED),
    Outage("closed-before-an-answer", lambda _: Line(hangs_up=True), End.MISSED),
    Outage("silent-at-once", lambda _: Line(silent_after=0), End.LATE),
    Outage("silent-early", lambda talk: Line(silent_after=talk.early), End.LATE),
    Outage("silent-in-the-first-answer", lambda talk: Line(silent_after=talk.first), End.LATE),
    Outage("silent-in-a-later-answer", lambda talk: Line(silent_after=talk.middle), End.LATE),
    Outage("reset-at-once", lambda _: Line(reset_after=0), End.MISSED),
    Outage("reset-early", lambda talk: Line(reset_after=talk.early), End.MISSED),
    Outage("reset-in-the-first-answer", lambda talk: Line(reset_after=talk.first), End.MISSED),
    Outage("reset-in-a-later-answer", lambda talk: Line(reset_after=talk.middle), End.MISSED),
    Outage("half-closed-at-once", lambda _: Line(ends_after=0), End.MISSED),
    Outage("half-closed-early", lambda talk: Line(ends_after=talk.early), End.MISSED),
    Outage("half-closed-in-the-first-answer", lambda t: Line(ends_after=t.first), End.MISSED),
    Outage("half-closed-in-a-later-answer", lambda t: Line(ends_after=t.middle), End.MISSED),
)


@dataclass(frozen=True, slots=True)
class Loss:
    """The call that deletes arrives, and what the line does to its answer.

    ``heals``: connections to come are fine; else the line stays like that until the run is over.
    """

    name: str
    line: Line
    heals: bool

    @property
    def is_silent(self) -> bool:
        """Whether somebody has to stop waiting for it."""
        return self.line.silent_after is not None


LOSSES = (
    Loss("reset", Line(reset_after=0), heals=True),
    Loss("half-closed", Line(ends_after=0), heals=True),
    Loss("silent", Line(silent_after=0), heals=True),
    # This one lets the call's own answer through, and nobody can look what came of it.
    Loss("closed-at-the-next-word", Line(hangs_up=True), heals=False),
)
BREAKS = (0.3, 0.8)
"""Parts of all that is answered to an undisturbed run, after which the line breaks for good."""
