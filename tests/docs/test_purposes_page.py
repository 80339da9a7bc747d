"""The page on purposes names what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.rules.purposes.lexicon import Topic
from snapaudit.rules.purposes.reading import PurposeWord

_PAGE = (Path(__file__).parents[2] / "docs" / "purposes.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", [*PurposeWord, *Topic])
def test_every_purpose_and_topic_is_explained(word: str) -> None:
    assert f"`{word}`" in _PAGE
