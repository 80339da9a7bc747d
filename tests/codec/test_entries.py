"""Entries are added to and cut out of files that people wrote, and all else stays as it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapaudit.codec.entries import flow, scalar, with_entry, without_entry
from snapaudit.codec.yaml import Node, parse_yaml
from snapaudit.errors import InputError

HAND = """\
# Our exemptions, reviewed every Monday.
version: 1

exemptions:
  # --- databases
  - id: one   # the first
    reason: |
      two lines,
      # the second of which is no comment

  # about the next
  - {id: two,
     reason: in flow}
  -
    id: three
    reason: "last"
    # a note on three

# nothing below
"""


def said(node: Node) -> Any:
    match node.value:
        case dict():
            return {key: said(child) for key, child in node.value.items()}
        case tuple():
            return [said(item) for item in node.value]
        case _:
            return node.value


def ids(text: str) -> list[str]:
    return [item["id"] for item in said(parse_yaml(text, "t"))["exemptions"] or []]


def add(text: str) -> str:
    return with_entry(text, "t", "exemptions", {"id": "new", "reason": "why"})


def cut(text: str, number: int) -> str:
    return without_entry(text, "t", "exemptions", number)


def test_new_entry_goes_to_the_end_and_every_line_before_it_stays() -> None:
    assert add(HAND) == f"{HAND}  - id: new\n    reason: why\n"


def test_new_entry_goes_before_a_key_that_comes_behind_the_list() -> None:
    above, below = "exemptions:\n  - id: a\n", "\n# version of the file\nversion: 1\n"
    assert add(above + below) == f"{above}  - id: new\n    reason: why\n{below}"


@pytest.mark.parametrize("empty", ["", " []", " ~", " null  # none yet", " # none"])
def test_empty_list_takes_its_first_entry(empty: str) -> None:
    text = f"version: 1\nexemptions:{empty}\n# below\n"
    edited = add(text)
    assert ids(edited) == ["new"]
    assert edited.startswith("version: 1\nexemptions:")
    assert edited.count("#") == text.count("#")


@pytest.mark.parametrize(
    ("number", "gone"),
    [
        (0, HAND.splitlines()[5:9]),
        (1, HAND.splitlines()[11:13]),
        (2, HAND.splitlines()[13:17]),
    ],
)
def test_entry_is_cut_with_its_own_lines_and_comments_and_nothing_else(
    number: int, gone: list[str]
) -> None:
    edited = cut(HAND, number)
    lines = HAND.splitlines()
    start = lines.index(gone[0])
    assert edited.splitlines() == lines[:start] + lines[start + len(gone) :]
    assert ids(edited) == [name for place, name in enumerate(ids(HAND)) if place != number]


def test_last_entry_leaves_an_empty_list_that_takes_a_new_one() -> None:
    text = "version: 1\nexemptions:\n- id: one\n"
    assert cut(text, 0) == "version: 1\nexemptions:\n"
    assert ids(add(cut(text, 0))) == ["new"]


def test_windows_line_ends_and_a_last_line_without_end_are_kept_and_mended() -> None:
    text = "version: 1\r\nexemptions:\r\n- id: one"
    edited = add(text)
    assert edited == f"{text}\r\n- id: new\r\n  reason: why\r\n"
    assert cut(edited, 0) == "version: 1\r\nexemptions:\r\n- id: new\r\n  reason: why\r\n"


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nexemptions: [{id: one}]\n",
        "{version: 1, exemptions: []}\n",
        'exemptions:\n  - id: "a\n- b"\n',
    ],
)
def test_spelling_that_cannot_be_edited_safely_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="cannot be edited safely"):
        cut(add(text), 0)


def test_end_of_the_document_stays_behind_a_new_entry() -> None:
    assert add("---\nexemptions:\n- id: a\n...\n") == (
        "---\nexemptions:\n- id: a\n- id: new\n  reason: why\n...\n"
    )


def test_first_entry_below_a_key_that_is_set_in_is_refused() -> None:
    text = "    exemptions:\n    version: 1\n"
    with pytest.raises(InputError, match="cannot be edited safely"):
        add(text)


@pytest.mark.parametrize(
    "reason", ['"x\n  - id: fake\n    y"', '"x\ny"', "'x\n  - y'"], ids=["entry", "left", "single"]
)
def test_text_in_quotes_that_looks_like_an_entry_is_not_cut_through(reason: str) -> None:
    text = f"exemptions:\n  - id: one\n    reason: {reason}\n  - id: two\n"
    with pytest.raises(InputError, match=r"t:2:5: is written in a way that cannot be edited safe"):
        cut(text, 0)


@given(st.lists(st.sampled_from(HAND.splitlines()[4:18]), max_size=14), st.data())
def test_whatever_is_cut_or_added_the_other_entries_say_what_they_said(
    lines: list[str], data: st.DataObject
) -> None:
    text = "\n".join(["version: 1", "exemptions:", *lines, ""])
    try:
        before = said(parse_yaml(text, "t"))["exemptions"] or []
        after = said(parse_yaml(add(text), "t"))["exemptions"]
    except InputError:
        return
    assert after[:-1] == before
    number = data.draw(st.integers(0, len(before)))
    try:
        rest = said(parse_yaml(cut(add(text), number), "t"))["exemptions"] or []
    except InputError:
        return
    assert rest == [item for place, item in enumerate(after) if place != number]


TEXTS = st.text(st.characters(codec=None, exclude_categories=()), min_size=1, max_size=20)


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=3))
def test_any_text_reads_back_as_it_was_written(text: str, many: list[str]) -> None:
    document = f"one: {scalar(text)}\nlist: {flow(many)}\nmap: {flow({'vm': text})}\n"
    if "\x00" not in document:
        read = said(parse_yaml(document, "t"))
        assert read == {"one": text, "list": many, "map": {"vm": text}}


@pytest.mark.parametrize("text", ["web01", "before upgrade", "CHG-4711", "2026-12-31", "a.b/c"])
def test_plain_words_stay_without_quotes(text: str) -> None:
    assert scalar(text) == text


@pytest.mark.parametrize("text", ["true", "No", "4711", "", " a", "a: b", "#x", "*", "{a}", "null"])
def test_what_yaml_would_take_for_something_else_is_quoted(text: str) -> None:
    assert scalar(text).startswith('"')
