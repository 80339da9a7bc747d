"""Answers that come in pieces of any size, and those that are damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapaudit.hypervisors.xen import jsonrpc
from snapaudit.hypervisors.xen.jsonrpc import Failed, NoJson, result
from snapaudit.hypervisors.xen.transport import TooMuch

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.dictionaries(st.text(), VALUES, max_size=5)


def pieces(body: bytes, size: int) -> Callable[[], bytes]:
    parts = iter([body[at : at + size] for at in range(0, len(body), size)])
    return lambda: next(parts, b"")


def answer(rows: Any, **more: Any) -> bytes:
    told = {"jsonrpc": "2.0", "result": rows, "id": 1} | more
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")


@given(rows=ROWS, size=st.integers(1, 40))
def test_members_are_the_same_however_the_answer_is_cut(rows: dict[str, Any], size: int) -> None:
    body = json.dumps({"id": 1, "result": rows, "error": None}).encode()
    assert dict(result(pieces(body, size))) == rows


@given(rows=ROWS, size=st.integers(1, 40), data=st.data())
def test_an_answer_that_ends_early_never_looks_whole(
    rows: dict[str, Any], size: int, data: st.DataObject
) -> None:
    body = answer(rows)
    end = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises((ValueError, NoJson)):
        dict(result(pieces(body[:end], size)))


@pytest.mark.parametrize(
    ("error", "details"),
    [
        (
            {"code": 1, "message": "HANDLE_INVALID", "data": ["VM", "x"]},
            ("HANDLE_INVALID", "VM", "x"),
        ),
        ({"code": 1, "message": "SESSION_INVALID"}, ("SESSION_INVALID",)),
        (["UUID_INVALID", "VM"], ("UUID_INVALID", "VM")),
        ("odd", ("INTERNAL_ERROR", "odd")),
    ],
)
def test_an_error_of_either_version_is_told(error: Any, details: tuple[str, ...]) -> None:
    body = json.dumps({"result": None, "error": error, "id": 1}).encode()
    with pytest.raises(Failed) as caught:
        dict(result(pieces(body, 7)))
    assert caught.value.details == details


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null"])
def test_what_is_no_json_object_is_asked_in_xml(body: bytes) -> None:
    with pytest.raises(NoJson):
        dict(result(pieces(body, 3)))


@pytest.mark.parametrize(
    "body", [b'{"result": 12}', b'{"id": 1}', b'{"result": {"a": }}', b'{"result": {"a": 1} x']
)
def test_what_has_no_records_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        dict(result(pieces(body, 3)))


def test_b13_bytes_that_are_no_utf_8_stay_within_their_text() -> None:
    body = answer({"a": "x"}).replace(b'"x"', b'"\xff\xfe"')
    assert dict(result(pieces(body, 2))) == {"a": "��"}


def test_s10_a_record_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonrpc, "_MOST_CHARACTERS", 1000)
    endless = iter([b'{"result": {"a": "'])
    with pytest.raises(TooMuch):
        dict(result(lambda: next(endless, b"x" * 100)))
