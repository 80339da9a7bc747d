"""Owners: where it is written whom to ask about a machine, in the order in which to look."""

from __future__ import annotations

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.errors import InputError
from snapaudit.model.owner import OwnerMark, OwnerPlace

_EXAMPLE = '"attribute:Owner", "tag:owner", "notes:Owner" or creator'


def owners(node: Node) -> tuple[OwnerMark, ...]:
    """The places in their order, each ``place:word``; an empty list asks nobody."""
    return tuple(_mark(item) for item in expect.sequence(node))


def _mark(node: Node) -> OwnerMark:
    place, _, word = (part.strip() for part in expect.line(node).partition(":"))
    if place not in set(OwnerPlace):
        near = expect.nearest(place, OwnerPlace)
        hint = f"; did you mean {near!r}?" if near else ""
        message = f"expected {_EXAMPLE}; found {expect.line(node)!r}{hint}"
        raise InputError(node.place, message)
    found = OwnerMark(place=OwnerPlace(place), word=word)
    if bool(word) == (found.place is OwnerPlace.CREATOR):
        need = "stands alone" if word else "needs a word behind it"
        raise InputError(node.place, f"{place!r} {need}; expected {_EXAMPLE}")
    return found
