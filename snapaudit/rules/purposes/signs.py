"""Signs: what tells something and is no word of any language: tickets, versions, stamps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node, read_yaml
from snapaudit.errors import Place
from snapaudit.rules.purposes.shape import pattern_of_shapes

_FILE = Path(__file__).parent / "signs.yaml"


class Sign(StrEnum):
    """What a sign counts as.

    ``ticket``: a number under which work is kept. ``change``: something changes. ``stamp``: a
    moment or number as programs write them and people do not. ``job``: the number of a run of a
    program. ``automation``: a script is named. ``errand``: a number that no machine or year has
    and work is kept under. ``contents``: a list of what was put in.
    """

    TICKET = "ticket"
    CHANGE = "change"
    STAMP = "stamp"
    JOB = "job number"
    AUTOMATION = "automation"
    ERRAND = "errand"
    CONTENTS = "contents"


@dataclass(frozen=True, slots=True, eq=False)
class SignPattern:
    """How one sign looks in the shape of a text, and what it says in words."""

    sign: Sign
    says: str
    pattern: str
    place: Place


def read_signs(file: Path = _FILE) -> tuple[SignPattern, ...]:
    """The signs of a data file. Raises InputError with the place."""
    keys = expect.mapping(read_yaml(file), required=("signs",))
    return tuple(_sign(node) for node in expect.sequence(keys["signs"]))


def _sign(node: Node) -> SignPattern:
    keys = expect.mapping(node, required=("sign", "says", "pattern"))
    return SignPattern(
        sign=expect.word(keys["sign"], Sign),
        says=expect.text(keys["says"]),
        pattern=pattern_of_shapes(expect.text(keys["pattern"])),
        place=keys["pattern"].place,
    )
