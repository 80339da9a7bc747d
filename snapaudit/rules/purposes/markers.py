"""Markers: proof of a purpose, by what a product writes or by the platform's own type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node, read_yaml
from snapaudit.errors import Place
from snapaudit.rules.patterns import PatternSet, as_utf8
from snapaudit.rules.purposes.reading import PurposeWord

_FILE = Path(__file__).parent / "markers.yaml"
_TICKET = (
    r"(?-i:\b[A-Z]{2,9}-[1-9][0-9]{1,6}\b)"
    r"|\b(?:chg|inc|req|rfc|ritm|task|prb|ticket|case|issue)[-_ :#]{0,2}[0-9]{3,}"
    r"|#[0-9]{3,}"
)


@dataclass(frozen=True, slots=True, eq=False)
class Marker:
    """A product and the purpose that its marker proves."""

    product: str
    purpose: PurposeWord
    pattern: str
    place: Place


class Markers:
    """The markers of a data file, the first that fits winning, and the look of ticket numbers."""

    def __init__(self, file: Path = _FILE) -> None:
        keys = expect.mapping(read_yaml(file), required=("kinds", "markers"))
        self._kinds = dict(_kind(node) for node in expect.sequence(keys["kinds"]))
        self._markers = tuple(_marker(node) for node in expect.sequence(keys["markers"]))
        self._set = PatternSet(self._patterns())

    def _patterns(self) -> Iterator[tuple[str, Place]]:
        for marker in self._markers:
            yield f"(?m:{marker.pattern})", marker.place
        yield _TICKET, Place("the look of a ticket number")

    def of_kind(self, hypervisor: str, kind: str) -> Marker | None:
        """The marker that the platform's own type of snapshot is, if it is one."""
        return self._kinds.get((hypervisor, kind))

    def in_text(self, text: str) -> tuple[Marker | None, bool]:
        """The first marker in a name or description, if any, and whether a ticket is named."""
        numbers = self._set.numbers(as_utf8(text))
        ticket = len(self._markers)
        first = min(numbers, default=ticket)
        return self._markers[first] if first < ticket else None, ticket in numbers


def _kind(node: Node) -> tuple[tuple[str, str], Marker]:
    keys = expect.mapping(node, required=("hypervisor", "kind", "purpose", "product"))
    purpose = expect.word(keys["purpose"], PurposeWord)
    marker = Marker(expect.text(keys["product"]), purpose, "", node.place)
    return (expect.text(keys["hypervisor"]), expect.text(keys["kind"])), marker


def _marker(node: Node) -> Marker:
    keys = expect.mapping(node, required=("product", "purpose", "pattern", "source"))
    return Marker(
        product=expect.text(keys["product"]),
        purpose=expect.word(keys["purpose"], PurposeWord),
        pattern=expect.text(keys["pattern"]),
        place=keys["pattern"].place,
    )
