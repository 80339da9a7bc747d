"""Names that the classifier is judged on elsewhere stand nowhere here, so it cannot know them.

``elsewhere.sha256`` holds digests of them, folded, one a line: names and descriptions of a dozen
signs and more, since shorter ones are words of a language.
"""

from __future__ import annotations

import ast
import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from snapaudit.codec.yaml import Node, read_yaml

_ROOT = Path(__file__).parents[3]
_DIGESTS = frozenset(Path(__file__).with_name("elsewhere.sha256").read_text().split())
_SHORTEST = 12
_SOURCES = sorted(
    file
    for place in ("snapaudit/rules", "snapaudit/demo", "tests/rules", "tests/demo")
    for file in _ROOT.glob(f"{place}/**/*.py")
)
_DATA = sorted((*_ROOT.glob("snapaudit/**/*.yaml"), *_ROOT.glob("rules/*.yaml")))
_TABLES = sorted(_ROOT.glob("tests/**/*.csv"))


def digest(text: str) -> str:
    return hashlib.sha256(folded(text).encode("utf-8", "surrogatepass")).hexdigest()


def folded(text: str) -> str:
    return " ".join(text.casefold().split())


def known(texts: Iterator[str]) -> list[str]:
    parts = (part for text in texts for part in {text, *text.split(","), *text.splitlines()})
    return [part for part in parts if len(folded(part)) >= _SHORTEST and digest(part) in _DIGESTS]


def strings_of_source(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def scalars_of(node: Node) -> Iterator[str]:
    match node.value:
        case dict():
            for child in node.value.values():
                yield from scalars_of(child)
        case tuple():
            for child in node.value:
                yield from scalars_of(child)
        case str():
            yield node.value


def cells_of(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines):
            yield from row


def test_there_are_names_elsewhere_and_files_to_look_for_them_in() -> None:
    assert len(_DIGESTS) > 100
    assert min(len(_SOURCES), len(_DATA), len(_TABLES)) > 1


@pytest.mark.parametrize("file", _SOURCES, ids=lambda file: str(file.relative_to(_ROOT)))
def test_code_holds_no_name_that_it_is_judged_on(file: Path) -> None:
    assert known(strings_of_source(file)) == []


@pytest.mark.parametrize("file", _DATA, ids=lambda file: str(file.relative_to(_ROOT)))
def test_words_and_products_hold_no_name_that_they_are_judged_on(file: Path) -> None:
    assert known(scalars_of(read_yaml(file))) == []


@pytest.mark.parametrize("file", _TABLES, ids=lambda file: str(file.relative_to(_ROOT)))
def test_labelled_names_are_others_than_those_elsewhere(file: Path) -> None:
    assert known(cells_of(file)) == []
