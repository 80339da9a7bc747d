"""Catalogue: what products write, which accounts they use, what platforms tell; a file a purpose.

The folder ``products`` holds the data. A file is named after the purpose that everything in it
proves, and may hold these lists:

- ``kinds``: the type that the platform itself gives a snapshot
- ``protections``: what a collector found about the snapshot, by the word before the colon
- ``markers``: what a product writes into a name or description
- ``accounts``: who made it, where the platform tells
- ``names``: what people call a product in sentences of their own
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node, read_yaml
from snapaudit.errors import Place
from snapaudit.rules.purposes.reading import PurposeWord

Entry = TypeVar("Entry")

_FOLDER = Path(__file__).parent / "products"
_IN_THIS_ORDER = (
    PurposeWord.REPLICATION,
    PurposeWord.SCHEDULED,
    PurposeWord.CLONE_BASE,
    PurposeWord.BACKUP_PRODUCT,
    PurposeWord.AUTOMATION,
)
_LISTS = ("kinds", "protections", "markers", "accounts", "names")
_KEYS = ("product", "pattern", "example", "source")


class Field(StrEnum):
    """Where a product writes its marker."""

    NAME = "name"
    DESCRIPTION = "description"


@dataclass(frozen=True, slots=True, eq=False)
class Marker:
    """A product and the purpose that its marker proves.

    ``fields`` is where it counts, ``example`` a text that it is the first to be found in, and
    ``source`` where the wording is known from.
    """

    product: str
    purpose: PurposeWord
    pattern: str
    place: Place
    fields: Collection[Field] = tuple(Field)
    example: str = ""
    source: str = ""
    is_account: bool = False

    @property
    def says(self) -> str:
        """What it proves, as a reason."""
        return f"{'account' if self.is_account else 'marker'} of {self.product}"


@dataclass(frozen=True, slots=True, eq=False)
class ProductName:
    """What people call a product whose snapshots have a purpose, in their own sentences."""

    product: str
    purpose: PurposeWord
    words: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Everything the files of a folder hold; of the markers that fit, the first one wins."""

    kinds: Mapping[tuple[str, str], Marker]
    protections: Mapping[str, Marker]
    markers: tuple[Marker, ...]
    accounts: tuple[Marker, ...]
    names: tuple[ProductName, ...]


def read_catalogue(folder: Path = _FOLDER) -> Catalogue:
    """The catalogue of a folder. Raises InputError with the place.

    Replication is looked for before backup: a backup product names its replicas in like words.
    """
    files = [(purpose, _lists_of(folder / f"{purpose}.yaml")) for purpose in _IN_THIS_ORDER]

    def every(key: str, read: Callable[[Node, PurposeWord], Entry]) -> Iterator[Entry]:
        for purpose, lists in files:
            yield from (read(node, purpose) for node in lists.get(key, ()))

    return Catalogue(
        kinds=dict(every("kinds", _kind)),
        protections=dict(every("protections", _protection)),
        markers=tuple(every("markers", _marker)),
        accounts=tuple(every("accounts", _account)),
        names=tuple(every("names", _name)),
    )


def _lists_of(file: Path) -> dict[str, tuple[Node, ...]]:
    keys = expect.mapping(read_yaml(file), _LISTS)
    return {key: expect.sequence(node) for key, node in keys.items()}


def _kind(node: Node, purpose: PurposeWord) -> tuple[tuple[str, str], Marker]:
    keys = expect.mapping(node, (), required=("hypervisor", "kind", "product"))
    marker = Marker(expect.text(keys["product"]), purpose, "", node.place)
    return (expect.text(keys["hypervisor"]), expect.text(keys["kind"])), marker


def _protection(node: Node, purpose: PurposeWord) -> tuple[str, Marker]:
    keys = expect.mapping(node, (), required=("word", "product"))
    return expect.text(keys["word"]), Marker(expect.text(keys["product"]), purpose, "", node.place)


def _marker(node: Node, purpose: PurposeWord) -> Marker:
    keys = expect.mapping(node, ("in",), required=_KEYS)
    fields = (expect.word(keys["in"], Field),) if "in" in keys else tuple(Field)
    return _pattern(keys, purpose, fields)


def _account(node: Node, purpose: PurposeWord) -> Marker:
    marker = _pattern(expect.mapping(node, (), required=_KEYS), purpose, ())
    return replace(marker, is_account=True)


def _pattern(keys: Mapping[str, Node], purpose: PurposeWord, fields: tuple[Field, ...]) -> Marker:
    return Marker(
        product=expect.text(keys["product"]),
        purpose=purpose,
        pattern=expect.text(keys["pattern"]),
        place=keys["pattern"].place,
        fields=fields,
        example=expect.text(keys["example"]),
        source=expect.text(keys["source"]),
    )


def _name(node: Node, purpose: PurposeWord) -> ProductName:
    keys = expect.mapping(node, (), required=("product", "words"))
    return ProductName(
        expect.text(keys["product"]), purpose, expect.texts(keys["words"]), node.place
    )
