from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node, parse_yaml
from snapaudit.errors import InputError
from snapaudit.model.policy import Severity


def _node(written: str) -> Node:
    """The node as the value of a key, so that its place differs from that of its key."""
    value = parse_yaml(f"k: {written}\n", "f.yaml").value
    assert isinstance(value, dict)
    return value["k"]


def _fault(expected: Callable[[Node], object], written: str) -> str:
    with pytest.raises(InputError) as caught:
        expected(_node(written))
    return str(caught.value)


@pytest.mark.parametrize(
    ("expected", "written", "value"),
    [
        (expect.text, "no", "no"),
        (expect.text, "' a '", " a "),
        (expect.line, "a b", "a b"),
        (expect.texts, "[a, b]", ("a", "b")),
        (expect.texts, "[]", ()),
        (expect.boolean, "false", False),
        (expect.integer, "0", 0),
        (expect.duration, "1d12h", timedelta(hours=36)),
        (expect.size, "20 GB", 20 * 10**9),
        (expect.ratio, "85%", 0.85),
    ],
)
def test_what_is_expected_is_handed_back(
    expected: Callable[[Node], object], written: str, value: object
) -> None:
    assert expected(_node(written)) == value


@pytest.mark.parametrize(
    ("expected", "written", "said"),
    [
        (expect.mapping, "[a]", "expected a mapping, found a list"),
        (expect.sequence, "{a: 1}", "expected a list, found a mapping"),
        (expect.text, "12", "expected text, found 12"),
        (expect.text, "''", "expected text, found ''"),
        (expect.text, "' '", "expected text, found ' '"),
        (expect.texts, "[[]]", "expected text, found a list"),
        (expect.line, "[a]", "expected text, found a list"),
        (expect.boolean, "yes", "expected true or false, found 'yes'"),
        (expect.boolean, "1", "expected true or false, found 1"),
        (expect.integer, "-1", "expected a whole number, 0 or more, found -1"),
        (expect.integer, "true", "expected a whole number, 0 or more, found true"),
        (expect.integer, "1.0", "expected a whole number, 0 or more, found 1.0"),
        (expect.duration, "3", "expected a quantity with its unit, like 3d or 12h, found 3"),
        (expect.duration, "3y", "'3y' is no duration; write a number with s, m, h, d or w"),
        (expect.duration, "99999w", "'99999w' is longer than 200 years"),
        (expect.size, "20", "expected a quantity with its unit, like 20GiB or 500MB, found 20"),
        (expect.size, "20gib", "'20gib' is no size"),
        (expect.ratio, "0.85", "expected a quantity with its unit, like 85%, found 0.85"),
        (expect.ratio, "'85'", "'85' is no share; write it in percent, like 85%"),
    ],
)
def test_anything_else_is_told_at_the_place_of_the_value(
    expected: Callable[[Node], object], written: str, said: str
) -> None:
    column = 5 if written == "[[]]" else 4
    assert _fault(expected, written).startswith(f"f.yaml:1:{column}: {said}")


@pytest.mark.parametrize(
    "written", ['"a\\nb"', '"a\\0"', "' a'", "'a '", '"a\\u202eb"', '"\\ud800"', '"a\\u200b"']
)
def test_line_that_does_not_read_as_it_is_is_refused_and_not_repeated(written: str) -> None:
    assert _fault(expect.line, written) == (
        "f.yaml:1:4: expected one line of text, without invisible characters or spaces around it"
    )


def test_path_starts_at_the_folder_unless_it_is_absolute() -> None:
    assert expect.path(_node("a/b"), Path("/site")) == Path("/site/a/b")
    assert expect.path(_node("/a/b"), Path("/site")) == Path("/a/b")


def test_unknown_key_is_told_at_the_key_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        expect.mapping(_node("{name: a, lables: b}"), ("labels",), required=("name",))
    assert str(caught.value) == (
        "f.yaml:1:14: unknown key 'lables'; known here: labels, name (did you mean 'labels'?)"
    )


def test_unknown_key_beside_a_secret_is_not_repeated() -> None:
    with pytest.raises(InputError) as caught:
        expect.mapping(_node("{password: a,hunter2}"), ("password",), may_hold_secrets=True)
    assert str(caught.value) == "f.yaml:1:17: unknown key; known here: password"


def test_missing_key_is_told_at_the_mapping() -> None:
    with pytest.raises(InputError, match=r"^f\.yaml:1:4: the key 'name' is missing$"):
        expect.mapping(_node("{a: 1}"), ("a",), required=("name",))


def test_mapping_without_known_keys_takes_any() -> None:
    assert list(expect.mapping(_node("{b: 1, a: 2}"))) == ["b", "a"]


def test_optional_is_the_default_only_where_the_key_is_not_written() -> None:
    found = expect.mapping(_node("{a: 3, b: }"))
    assert expect.optional(found, "a", expect.integer, None) == 3
    assert expect.optional(found, "c", expect.integer, None) is None
    with pytest.raises(InputError, match="found nothing"):
        expect.optional(found, "b", expect.integer, None)


def test_word_is_one_of_the_enumeration() -> None:
    assert expect.word(_node("critical"), Severity) is Severity.CRITICAL
    with pytest.raises(InputError) as caught:
        expect.word(_node("critcal"), Severity)
    assert str(caught.value) == (
        "f.yaml:1:4: expected one of info, warning, critical, found 'critcal' "
        "(did you mean 'critical'?)"
    )


@pytest.mark.parametrize("written", ["12", "[critical]", "{critical: 1}", "''"])
def test_value_that_is_no_word_has_no_nearest(written: str) -> None:
    said = _fault(lambda node: expect.word(node, Severity), written)
    assert said.startswith("f.yaml:1:4: expected one of info, warning, critical, found ")
    assert "did you mean" not in said


@pytest.mark.parametrize(
    ("word", "near"), [("AGE", "age"), ("agee", "age"), ("zzz", None), ("", None)]
)
def test_nearest_is_a_plain_known_word_or_none(word: str, near: str | None) -> None:
    assert expect.nearest(word, ("age", "size")) == near
    found: Any = expect.nearest("warnin", Severity)
    assert type(found) is str


def test_long_value_is_cut_in_a_message() -> None:
    assert len(_fault(expect.boolean, "x" * 5000)) < 150
