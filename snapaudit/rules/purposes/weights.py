"""Weights: how much each piece of evidence says, read from the data file beside this module."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node, read_yaml
from snapaudit.errors import InputError
from snapaudit.model.units import UnitError, parse_duration

_FILE = Path(__file__).parent / "weights.yaml"
_KEYS = (
    "words", "age", "snapshots_on_machine", "regular_spacing", "rotation", "date_or_counter",
    "script_account", "large", "growing", "ticket", "young_change", "unexpired", "doubt", "likely",
)  # fmt: skip


class AgeStep(NamedTuple):
    """From an age on, as the file writes it, so many points."""

    over: timedelta
    text: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Points by evidence. ``age`` and ``count`` are ladders, highest step first."""

    backup_word: int
    keep_word: int
    milestone_word: int
    age: tuple[AgeStep, ...]
    count: tuple[tuple[int, int], ...]
    regular_spacing: int
    rotation: int
    date_or_counter: int
    script_account: int
    script_words: frozenset[str]
    large: int
    large_share: float
    growing: int
    ticket: int
    young_change: int
    young_age: timedelta
    unexpired: int
    doubt: int
    likely: int

    def age_step(self, age: timedelta | None) -> int | None:
        """The number of the highest step of the ladder that an age is over; None for no step."""
        if age is not None:
            for number, step in enumerate(self.age):
                if age > step.over:
                    return number
        return None

    def count_step(self, snapshots: int) -> int | None:
        """The number of the highest step that a number of snapshots reaches; None for no step."""
        for number, (limit, _) in enumerate(self.count):
            if snapshots >= limit:
                return number
        return None


def read_weights(file: Path = _FILE) -> Weights:
    """The weights of a data file. Raises InputError with the place."""
    keys = expect.mapping(read_yaml(file), required=_KEYS)
    words = expect.mapping(keys["words"], required=("backup", "keep", "milestone"))
    script = expect.mapping(keys["script_account"], required=("points", "words"))
    large = expect.mapping(keys["large"], required=("share", "points"))
    young = expect.mapping(keys["young_change"], required=("younger", "points"))
    return Weights(
        backup_word=_points(words["backup"]),
        keep_word=_points(words["keep"]),
        milestone_word=_points(words["milestone"]),
        age=_age_ladder(keys["age"]),
        count=_count_ladder(keys["snapshots_on_machine"]),
        regular_spacing=_points(keys["regular_spacing"]),
        rotation=_points(keys["rotation"]),
        date_or_counter=_points(keys["date_or_counter"]),
        script_account=_points(script["points"]),
        script_words=frozenset(expect.texts(script["words"])),
        large=_points(large["points"]),
        large_share=expect.ratio(large["share"]),
        growing=_points(keys["growing"]),
        ticket=_points(keys["ticket"]),
        young_change=_points(young["points"]),
        young_age=expect.duration(young["younger"]),
        unexpired=_points(keys["unexpired"]),
        doubt=_points(keys["doubt"]),
        likely=_points(keys["likely"]),
    )


def _points(node: Node) -> int:
    if isinstance(node.value, bool) or not isinstance(node.value, int):
        raise expect.wrong(node, "a whole number of points")
    return node.value


def _age_ladder(node: Node) -> tuple[AgeStep, ...]:
    steps = []
    for text, points in expect.mapping(node).items():
        try:
            steps.append(AgeStep(parse_duration(text), text, _points(points)))
        except UnitError as error:
            raise InputError(points.key_place, str(error)) from error
    return tuple(sorted(steps, reverse=True))


def _count_ladder(node: Node) -> tuple[tuple[int, int], ...]:
    steps = []
    for text, points in expect.mapping(node).items():
        if not text.isdecimal():
            raise InputError(points.key_place, f"expected a whole number, found {text!r}")
        steps.append((int(text), _points(points)))
    return tuple(sorted(steps, reverse=True))
