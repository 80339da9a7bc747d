"""Whom to ask about a snapshot."""

from __future__ import annotations

import pytest

from snapaudit.model.inventory import Attribute
from snapaudit.model.owner import NOBODY, OwnerMark, OwnerPlace, owner_of
from tests.builders import snapshot, vm


def test_an_attribute_comes_before_a_tag_before_the_notes_before_the_creator() -> None:
    shot = snapshot(creator="CORP\\svc")
    everything = {
        "attributes": (Attribute(name="owner", value=" Database team "),),
        "tags": ("prod", "Owner: Shop"),
        "notes": "web front end\nowner = Web team\n",
    }
    found = []
    for key in (*everything, None):
        found.append(owner_of(vm("a", shot, **everything), shot).name)
        everything.pop(key or "", None)
    assert found == ["Database team", "Shop", "Web team", "CORP\\svc"]


def test_the_source_says_where_the_name_stood() -> None:
    assert owner_of(vm("a", tags=("owner/Shop",)), None).source == "tag owner"


def test_the_order_is_what_the_site_says() -> None:
    marks = (OwnerMark(place=OwnerPlace.NOTES, word="Ansprechpartner"),)
    machine = vm("a", tags=("owner:Shop",), notes="Ansprechpartner: Lager")
    assert owner_of(machine, None, marks).name == "Lager"


@pytest.mark.parametrize(
    "notes", ["", "the owner: is gone", "ownership: x", "Owner:", "Owner:   \n"]
)
def test_what_names_nobody_is_nobody(notes: str) -> None:
    blank = (Attribute(name="Owner", value="  "),)
    assert owner_of(vm("a", notes=notes, attributes=blank), snapshot(creator=" ")) == NOBODY
