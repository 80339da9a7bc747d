"""Answers: complete, typed and bounded, or none at all."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapaudit.errors import AccessDenied, HypervisorError
from snapaudit.hypervisors.hyperv import delivery, parsing
from snapaudit.hypervisors.hyperv.rows import Answer
from tests.beds.wsman.recording import guid, host_row, printed, rows

VM: dict[str, Any] = {
    "k": "vm", "id": guid("a"), "name": "a", "state": 2, "ops": [2, 32772], "parent": guid("b"),
    "ckpt": 3, "auto": False, "repl": 0, "clustered": None, "ver": "9.0", "notes": "n",
    "drives": [{"ct": "SCSI", "cn": 0, "cl": 1, "path": "C:\\a.vhdx", "disk": None,
                "shared": False}],
}  # fmt: skip
CP: dict[str, Any] = {
    "k": "cp", "id": guid("b"), "vm": guid("a"), "name": "b", "type": "Standard",
    "created": "2026-01-02T03:04:05.123456Z", "parent": None, "auto": None, "state": 3,
    "sys": 10, "notes": "", "drives": [],
}  # fmt: skip


def read(*found: dict[str, Any]) -> Answer:
    return parsing.answer(printed([host_row(), *found]), "hv1: https://hv1")


def refusal(*found: dict[str, Any]) -> str:
    with pytest.raises(HypervisorError) as caught:
        read(*found)
    said = str(caught.value)
    assert said.startswith("hv1: https://hv1: ")
    assert said.isprintable()
    assert len(said) < 500
    return said


def test_every_row_of_a_large_host_is_read() -> None:
    answer = parsing.answer(printed(rows()), "hv1")
    assert len(answer.machines) == 300
    assert len(answer.checkpoints) == 600
    assert len(answer.disks) == 1800
    assert answer.volumes[0].is_csv
    assert answer.host is not None
    assert answer.host.name == "HV1"


def test_rows_become_records_with_what_they_say() -> None:
    answer = read(VM, CP)
    machine, checkpoint = answer.machines[0], answer.checkpoints[0]
    assert machine.statuses == (2, 32772)
    assert machine.is_clustered is None
    assert machine.merging_disabled is None
    assert machine.drives[0].controller == ("SCSI", 0, 1)
    assert checkpoint.created_at == datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
    assert checkpoint.is_automatic is None
    assert checkpoint.drives == ()


def test_ids_lose_braces_and_capitals() -> None:
    answer = read({**VM, "id": "{" + guid("a").upper() + "}"})
    assert answer.machines[0].id == guid("a")


def test_unknown_kinds_and_keys_are_ignored() -> None:
    answer = read({"k": "weather", "sun": 1}, {**VM, "colour": "red"}, {"k": None}, {"k": [1]})
    assert len(answer.machines) == 1


def test_every_kind_of_row_has_its_place() -> None:
    answer = read(
        {"k": "file", "path": "C:\\x.avhdx", "len": 5, "mtime": "2026-01-02T03:04:05Z"},
        {"k": "vol", "path": "C:\\", "cap": 9, "free": 3, "label": "sys", "fs": "NTFS"},
        {"k": "err", "where": "disk", "id": "C:\\x", "fqid": "f", "hr": -2147024894, "msg": "m"},
        {"k": "event", "id": 19100, "at": "2026-01-02T03:04:05.5Z", "data": ["a", None]},
        {"k": "gone", "path": "C:\\y"},
        {"k": "gone", "id": guid("b")},
        {"k": "would", "id": guid("c"), "ops": [2]},
        {"k": "skip", "id": guid("d"), "why": "it is busy"},
    )
    assert answer.files[0].length == 5
    assert answer.volumes[0].free == 3
    assert answer.errors[0].number == -2147024894
    assert answer.events[0].data == ("a", "")
    assert answer.gone == ["C:\\y", guid("b")]
    assert [one.kind for one in answer.removals] == ["would", "skip"]
    assert answer.removals[0].statuses == (2,)
    assert answer.removals[1].why == "it is busy"


def test_absent_and_null_are_never_zero() -> None:
    answer = read({"k": "disk", "path": "C:\\a.vhdx"}, {"k": "vol", "path": "D:\\", "free": None})
    assert answer.disks[0].file_bytes is None
    assert answer.disks[0].parent is None
    assert answer.volumes[0].free is None


def test_a_name_with_half_a_character_is_read_and_can_be_written() -> None:
    answer = read({**VM, "name": "a\ud800b", "notes": "\U0001f600"})
    assert answer.machines[0].name == "a\ufffdb"
    assert answer.machines[0].notes == "\U0001f600"
    answer.machines[0].name.encode()


@pytest.mark.parametrize("lines", range(6))
def test_inv_13_an_answer_that_was_cut_anywhere_is_refused(lines: int) -> None:
    whole = printed([host_row(), VM, CP, VM, CP])
    with pytest.raises(HypervisorError, match="hv1: the answer was cut"):
        parsing.answer(whole[:lines], "hv1")


@pytest.mark.parametrize("lost", range(1, 4))
def test_a_row_that_is_missing_in_the_middle_is_noticed(lost: int) -> None:
    whole = printed([host_row(), VM, CP, {**VM, "id": guid("x")}])
    del whole[lost]
    with pytest.raises(HypervisorError, match="rows are missing"):
        parsing.answer(whole, "hv1")


def test_what_follows_the_last_row_makes_it_no_answer() -> None:
    with pytest.raises(HypervisorError, match="a row follows the last one"):
        parsing.answer([*printed([host_row()]), json.dumps(VM)], "hv1")


@pytest.mark.parametrize(
    "line",
    ["hello", "[]", "1", '"a"', "{", "NaN", '{"k":NaN}', "[" * 100_000, '{"k":' * 50_000,
     '{"a":' + "9" * 5000 + "}", "\x00", "\u001b[2J"],
)  # fmt: skip
def test_a_line_that_is_no_row_is_told_without_repeating_it_whole(line: str) -> None:
    with pytest.raises(HypervisorError) as caught:
        parsing.answer([json.dumps(host_row()), line], "hv1")
    assert "cannot be understood" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "id: it is missing"), ({"id": "web"}, "id: a GUID is expected"),
        ({"id": guid("a") + "\n"}, "id: a GUID"), ({"id": 5}, "id: text"),
        ({"state": "Running"}, "state: a whole number"), ({"state": True}, "state: a whole"),
        ({"state": 2.0}, "state: a whole number"), ({"state": 2**63}, "state: a whole number"),
        ({"state": None}, "state: it is missing"), ({"ops": 2}, "ops: a list"),
        ({"ops": [None]}, "ops: it is missing"), ({"ops": {"value": [2]}}, "ops: a list"),
        ({"auto": 1}, "auto: true or false"), ({"auto": "False"}, "auto: true or false"),
        ({"name": ["a"]}, "name: text"), ({"drives": {}}, "drives: a list"),
        ({"drives": ["a"]}, "drives: a list of objects"), ({"drives": [{}]}, "ct: it is missing"),
        ({"drives": [{"ct": "SCSI", "cn": "0", "cl": 0}]}, "cn: a whole number"),
        ({"parent": "x"}, "parent: a GUID"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_one_clear_error(change: dict[str, Any], words: str) -> None:
    said = refusal({**VM, **change})
    assert "row 2 ('vm'): " in said
    assert words in said


@pytest.mark.parametrize(
    "created",
    ["yesterday", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05+01:00",
     "/Date(1700000000000)/", {"value": "x"}, 5, "2026-01-02T03:04:05.12345678Z"],
)  # fmt: skip
def test_a_time_that_is_none_is_refused(created: object) -> None:
    assert "created: " in refusal({**CP, "created": created})


def test_a_size_below_nothing_is_refused() -> None:
    assert "sys: a size is expected" in refusal({**CP, "sys": -1})


def test_another_version_of_the_script_is_refused() -> None:
    with pytest.raises(HypervisorError, match="its version is 2, and 1 is expected"):
        parsing.answer(printed([{**host_row(), "v": 2}]), "hv1")


def test_two_hosts_in_one_answer_are_refused() -> None:
    assert "there are two of them" in refusal(host_row("HV2"))


def test_an_answer_without_a_host_is_refused() -> None:
    with pytest.raises(HypervisorError, match="no row says which host it is"):
        parsing.answer(printed([VM]), "hv1")


def test_machines_that_cannot_be_listed_are_a_refused_login_and_never_none() -> None:
    for where, what in (("vms", "virtual machines"), ("cps", "checkpoints")):
        row = {"k": "err", "where": where, "id": None, "fqid": "", "hr": 5, "msg": "no\r\nright"}
        with pytest.raises(AccessDenied, match=rf"its {what} cannot be listed \(no right\)"):
            read(row)


def test_a_line_without_end_is_given_up_while_it_arrives() -> None:
    lines = delivery.Lines("hv1")
    for _ in range(10):
        assert lines.feed(b"x" * 100_000) == []
    with pytest.raises(HypervisorError, match="a line without end"):
        lines.feed(b"x" * 100_000)


def test_lines_are_cut_where_they_end_however_they_arrive() -> None:
    whole = b"one\r\ntwo\n\nthree"
    for size in range(1, len(whole)):
        lines = delivery.Lines("hv1")
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        found = [line for piece in pieces for line in lines.feed(piece)] + lines.end()
        assert found == ["one", "two", "", "three"]


@pytest.mark.parametrize("bound", ["MOST_ROWS", "MOST_LETTERS"])
def test_tst_11_rows_without_end_are_given_up(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, bound, 50_000)
    lines = itertools.chain([json.dumps(host_row())], itertools.repeat(json.dumps(CP)))
    with pytest.raises(HypervisorError, match="longer than any host has to say"):
        parsing.answer(lines, "hv1")


def test_the_bounds_leave_room_for_hosts_ten_times_as_large_as_any() -> None:
    lines = printed(rows())
    assert len(lines) * 10 < parsing.MOST_ROWS
    assert sum(map(len, lines)) * 10 < parsing.MOST_LETTERS


def test_whatever_gives_the_lines_is_closed_also_when_they_are_refused() -> None:
    closed: list[bool] = []

    def lines() -> Iterator[str]:
        try:
            yield "hello"
            yield "never read"
        finally:
            closed.append(True)

    given_up = lines()
    with pytest.raises(HypervisorError):
        parsing.answer(given_up, "hv1")
    assert closed == [True]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
KEYS = sorted({*VM, *CP, *host_row(), "path", "up", "file", "where", "hr", "data", "why", "rows"})
KINDS = ["host", "vm", "cp", "disk", "file", "vol", "csv", "err", "event", "gone", "skip", "end"]
ROW = st.builds(
    lambda base, kind, extra: {**base, **({"k": kind} if kind else {}), **extra},
    st.sampled_from([VM, CP, host_row()]),
    st.sampled_from([None, *KINDS]),
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=2),
)


@given(st.lists(ROW, max_size=4))
@settings(max_examples=300, deadline=None)
def test_tst_11_no_row_whatever_is_in_it_ends_in_anything_but_an_answer_or_one_error(
    found: list[dict[str, Any]],
) -> None:
    said = "hv1: "
    try:
        assert parsing.answer(printed([host_row(), *found]), "hv1").host is not None
    except HypervisorError as error:
        said = str(error)
    assert said.startswith("hv1: ")
    assert said.isprintable()


@given(st.lists(st.text() | st.sampled_from(printed([host_row(), VM, CP])), max_size=5))
@settings(max_examples=200, deadline=None)
def test_tst_11_no_text_whatever_ends_in_anything_but_an_answer_or_one_error(
    lines: list[str],
) -> None:
    with pytest.raises(HypervisorError):
        parsing.answer([*lines, "no row"], "hv1")
