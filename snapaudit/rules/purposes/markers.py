"""Markers: proof of a purpose: what products write, whose account it is, what platforms tell."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node, read_yaml
from snapaudit.errors import Place
from snapaudit.rules.patterns import PatternSet, as_utf8
from snapaudit.rules.purposes.reading import PurposeWord
from snapaudit.rules.purposes.shape import pattern_of_shapes

_FILE = Path(__file__).parent / "markers.yaml"
_LISTS = ("kinds", "protections", "markers", "accounts", "names")
_KEYS = ("product", "purpose", "pattern", "source")


class Field(StrEnum):
    """Where a product writes its marker."""

    NAME = "name"
    DESCRIPTION = "description"


@dataclass(frozen=True, slots=True, eq=False)
class Marker:
    """A product and the purpose that its marker proves.

    ``fields`` is where it counts; ``example`` is a text that it is found in, for the tests.
    """

    product: str
    purpose: PurposeWord
    pattern: str
    place: Place
    fields: Collection[Field] = tuple(Field)
    example: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ProductName:
    """What people call a product whose snapshots have a purpose, in their own sentences."""

    product: str
    purpose: PurposeWord
    words: tuple[str, ...]
    place: Place


class Markers:
    """The catalogue of a data file; of the markers that fit, the first one wins."""

    def __init__(self, file: Path = _FILE) -> None:
        keys = expect.mapping(read_yaml(file), required=_LISTS)
        lists = {key: expect.sequence(keys[key]) for key in _LISTS}
        self._kinds = dict(_kind(node) for node in lists["kinds"])
        self._protections = dict(_protection(node) for node in lists["protections"])
        self.markers = tuple(_marker(node) for node in lists["markers"])
        self.accounts = tuple(_account(node) for node in lists["accounts"])
        self.names = tuple(_name(node) for node in lists["names"])
        self._set = _pattern_set(self.markers, "m")
        self._account_set = _pattern_set(self.accounts, "s")

    def of_kind(self, hypervisor: str, kind: str) -> Marker | None:
        """The marker that the platform's own type of snapshot is, if it is one."""
        return self._kinds.get((hypervisor, kind))

    def of_protections(self, protections: Iterable[str]) -> Marker | None:
        """The purpose that a protection proves which the collector found, if one does."""
        for protection in protections:
            if marker := self._protections.get(protection.partition(":")[0]):
                return marker
        return None

    def in_text(self, shape: str, field: Field) -> int | None:
        """The number of the first marker in the shape of a name or description, if any."""
        found = self._set.numbers(as_utf8(shape))
        return min((n for n in found if field in self.markers[n].fields), default=None)

    def of_account(self, creator: str) -> Marker | None:
        """The product whose account made a snapshot, if it is known as one."""
        first = min(self._account_set.numbers(as_utf8(creator)), default=None)
        return None if first is None else self.accounts[first]


def _pattern_set(markers: Iterable[Marker], flag: str) -> PatternSet:
    return PatternSet(
        (f"(?{flag}:{pattern_of_shapes(marker.pattern)})", marker.place) for marker in markers
    )


def _kind(node: Node) -> tuple[tuple[str, str], Marker]:
    keys = expect.mapping(node, required=("hypervisor", "kind", "purpose", "product"))
    return (expect.text(keys["hypervisor"]), expect.text(keys["kind"])), _proof(keys, node)


def _protection(node: Node) -> tuple[str, Marker]:
    keys = expect.mapping(node, required=("word", "purpose", "product"))
    return expect.text(keys["word"]), _proof(keys, node)


def _proof(keys: dict[str, Node], node: Node) -> Marker:
    purpose = expect.word(keys["purpose"], PurposeWord)
    return Marker(expect.text(keys["product"]), purpose, "", node.place)


def _marker(node: Node) -> Marker:
    keys = expect.mapping(node, ("in", "example"), required=_KEYS)
    fields = (expect.word(keys["in"], Field),) if "in" in keys else tuple(Field)
    return _pattern(keys, fields)


def _account(node: Node) -> Marker:
    return _pattern(expect.mapping(node, ("example",), required=_KEYS), ())


def _pattern(keys: dict[str, Node], fields: tuple[Field, ...]) -> Marker:
    expect.text(keys["source"])
    return Marker(
        product=expect.text(keys["product"]),
        purpose=expect.word(keys["purpose"], PurposeWord),
        pattern=expect.text(keys["pattern"]),
        place=keys["pattern"].place,
        fields=fields,
        example=expect.optional(keys, "example", expect.text, None),
    )


def _name(node: Node) -> ProductName:
    keys = expect.mapping(node, ("source",), required=("product", "purpose", "words"))
    return ProductName(
        product=expect.text(keys["product"]),
        purpose=expect.word(keys["purpose"], PurposeWord),
        words=expect.texts(keys["words"]),
        place=node.place,
    )
