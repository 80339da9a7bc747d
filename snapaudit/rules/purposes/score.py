"""Score: how much a snapshot looks like a makeshift backup, with every point accounted for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from snapaudit.rules.purposes.lexicon import Topic, Word
from snapaudit.rules.purposes.weights import Weights
from snapaudit.rules.purposes.wording import Wording

Points = tuple[int, str]


class Clues(NamedTuple):
    """Everything the score looks at, in steps, so that like snapshots have equal clues.

    ``age_step`` and ``count_step`` number the steps of their ladders from 0, None for no step.
    """

    wording: Wording
    age_step: int | None
    count_step: int | None
    rhythm: str | None
    is_rotating: bool
    is_young: bool
    is_large: bool
    is_growing: bool
    is_unexpired: bool
    has_script_account: bool
    is_of_template: bool
    missing: tuple[str, ...]


def score(clues: Clues, weights: Weights) -> tuple[int, tuple[str, ...]]:
    """0 to 100 and the reasons, each beginning with its points."""
    evidence = [*_for(clues, weights), *_against(clues, weights)]
    total = min(100, max(0, sum(points for points, _ in evidence)))
    reasons = [f"{points:+d} {sentence}" for points, sentence in evidence]
    reasons.extend(clues.wording.cut)
    if total >= weights.doubt:
        reasons.append(f"not known: {', '.join(clues.missing)}")
    return total, tuple(reasons)


def _for(clues: Clues, weights: Weights) -> Iterator[Points]:
    yield from _by_words(clues.wording.topics, weights)
    if clues.age_step is not None:
        step = weights.age[clues.age_step]
        yield step.points, f"older than {step.text}"
    if clues.count_step is not None:
        limit, points = weights.count[clues.count_step]
        yield points, f"{limit} or more snapshots on the machine"
    yield from _by_behaviour(clues, weights)
    if clues.wording.has_number:
        yield weights.date_or_counter, "a date or counter in the name"
    if clues.has_script_account:
        yield weights.script_account, "made by a service or script account"


def _by_behaviour(clues: Clues, weights: Weights) -> Iterator[Points]:
    if clues.rhythm:
        yield weights.regular_spacing, f"regular spacing: {clues.rhythm}"
    if clues.is_rotating:
        yield weights.rotation, "the oldest leaves when a new one comes"
    if clues.is_large:
        yield weights.large, f"larger than {weights.large_share:.0%} of the disks"
    elif clues.is_growing:
        yield weights.growing, "growing"


def _by_words(topics: Mapping[Topic, Word], weights: Weights) -> Iterator[Points]:
    if word := topics.get(Topic.BACKUP):
        yield weights.backup_word, f"says {word.plain!r} ({word.language})"
    if word := topics.get(Topic.KEEP):
        yield weights.keep_word, f"asks to be kept: {word.plain!r} ({word.language})"
    elif word := topics.get(Topic.MILESTONE):
        yield weights.milestone_word, f"a state to come back to: {word.plain!r} ({word.language})"


def _against(clues: Clues, weights: Weights) -> Iterator[Points]:
    if clues.wording.has_ticket:
        yield weights.ticket, "names a ticket (whether it is open is not known)"
    if clues.is_young and Topic.BEFORE in clues.wording.topics:
        yield weights.young_change, "before a change, and young"
    if clues.is_unexpired:
        yield weights.unexpired, "its declared last day has not passed"
