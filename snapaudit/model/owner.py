"""Owner: whom to ask about a snapshot, read off what people and platforms wrote about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from snapaudit.model.inventory import Snapshot, VirtualMachine


class OwnerPlace(StrEnum):
    """Where an owner may be written. All but ``creator`` need a word to look for."""

    ATTRIBUTE = "attribute"
    TAG = "tag"
    NOTES = "notes"
    CREATOR = "creator"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerMark:
    """One place to look at: the attribute ``Owner``, a tag ``owner:x``, a line ``Owner: x``."""

    place: OwnerPlace
    word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whom to ask. ``name`` None: nobody is named anywhere; ``source`` says where it stood."""

    name: str | None
    source: str


NOBODY = Owner(name=None, source="nobody named")
OWNER_MARKS = (
    OwnerMark(place=OwnerPlace.ATTRIBUTE, word="Owner"),
    OwnerMark(place=OwnerPlace.ATTRIBUTE, word="Responsible"),
    OwnerMark(place=OwnerPlace.ATTRIBUTE, word="Contact"),
    OwnerMark(place=OwnerPlace.TAG, word="owner"),
    OwnerMark(place=OwnerPlace.NOTES, word="Owner"),
    OwnerMark(place=OwnerPlace.CREATOR),
)
_SIGN = r"\s*[:=/]\s*"


def owner_of(
    vm: VirtualMachine, snapshot: Snapshot | None, marks: tuple[OwnerMark, ...] = OWNER_MARKS
) -> Owner:
    """The first of the marks that names somebody; without a snapshot its creator is nobody."""
    for mark in marks:
        name = _named(vm, snapshot, mark)
        if name:
            return Owner(name=name, source=f"{mark.place} {mark.word}".rstrip())
    return NOBODY


def _named(vm: VirtualMachine, snapshot: Snapshot | None, mark: OwnerMark) -> str | None:
    match mark.place:
        case OwnerPlace.ATTRIBUTE:
            word = mark.word.casefold()
            values = (one.value for one in vm.attributes if one.name.casefold() == word)
            return next((value.strip() for value in values if value.strip()), None)
        case OwnerPlace.TAG:
            return _after(mark.word, vm.tags)
        case OwnerPlace.NOTES:
            return _after(mark.word, vm.notes.splitlines())
        case OwnerPlace.CREATOR:
            return (snapshot.creator or "").strip() if snapshot is not None else None


def _after(word: str, lines: tuple[str, ...] | list[str]) -> str | None:
    """What stands behind the word and its sign, in the first line that begins with them."""
    sign = re.compile(rf"\s*{re.escape(word)}{_SIGN}(\S.*)", re.IGNORECASE)
    found = (sign.match(line) for line in lines)
    return next((hit[1].strip() for hit in found if hit is not None), None)
