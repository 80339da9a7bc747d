"""Where the configuration says that owners are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.model.owner import OWNER_MARKS, OwnerMark, OwnerPlace
from tests.config.written import fault, settings


def test_places_are_read_in_their_order(tmp_path: Path) -> None:
    text = "version: 1\nowners: ['tag:owner', creator, 'notes: Ansprechpartner']\n"
    assert settings(tmp_path, text).owners == (
        OwnerMark(place=OwnerPlace.TAG, word="owner"),
        OwnerMark(place=OwnerPlace.CREATOR),
        OwnerMark(place=OwnerPlace.NOTES, word="Ansprechpartner"),
    )


def test_without_the_key_all_usual_places_are_looked_at(tmp_path: Path) -> None:
    assert settings(tmp_path, "version: 1\n").owners == OWNER_MARKS


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("[▶'tags:owner']", "did you mean 'tag'?"),
        ("[▶attribute]", "'attribute' needs a word behind it"),
        ("[▶'creator:x']", "'creator' stands alone"),
    ],
)
def test_wrong_places_are_told_where_they_stand(tmp_path: Path, marked: str, said: str) -> None:
    assert said in fault(tmp_path, f"version: 1\nowners: {marked}\n")
