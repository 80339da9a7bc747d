"""Marks: grace runs from the first announcement of this very thing, and never too early."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from snapaudit.enforce.marks import Mark, Marks, announce, read_marks, write_marks
from snapaudit.enforce.state import State
from snapaudit.errors import Place
from snapaudit.model.finding import Finding, Subject, fingerprint
from snapaudit.model.inventory import Coverage, CoverageState, Inventory, Snapshot
from snapaudit.model.policy import Mode, Remedy, Rule, Severity, SubjectKind
from tests.builders import NOW, inventory, snapshot, vm

WEEK = timedelta(days=7)
LATER = NOW + timedelta(days=3)


def rule(mode: Mode = Mode.MARK, **changes: Any) -> Rule:
    fields: dict[str, Any] = {
        "id": "stale-snapshot",
        "title": "",
        "subject": SubjectKind.SNAPSHOT,
        "levels": {},
        "why": "",
        "fix": "",
        "source": Place("x.yaml"),
        "remedy": Remedy.DELETE_SNAPSHOT,
        "mode": mode,
        "grace": WEEK if mode is Mode.MARK else None,
        "environment_levels": {},
    }
    return Rule(**{**fields, **changes})


def finding(shot: str = "before-upgrade", **changes: Any) -> Finding:
    subject = Subject(
        kind=SubjectKind.SNAPSHOT,
        endpoint="kvm1",
        id=shot,
        name=shot,
        vm_id="id-web01",
        vm_name="web01",
    )
    fields: dict[str, Any] = {
        "rule": "stale-snapshot",
        "severity": Severity.WARNING,
        "subject": subject,
        "evidence": (),
        "remedy": Remedy.DELETE_SNAPSHOT,
        "fingerprint": fingerprint("stale-snapshot", subject),
    }
    return Finding(**{**fields, **changes})


def seen(*shots: Snapshot, state: CoverageState = CoverageState.COMPLETE) -> list[Inventory]:
    shown = shots or (snapshot("before-upgrade", age="9d"),)
    return [inventory(vm("web01", *shown), coverage=Coverage(state=state))]


def announced(
    findings: Sequence[Finding], marks: Marks, views: Sequence[Inventory], now: Any = NOW
) -> tuple[list[Any], Marks]:
    told, after = announce(findings, marks, [rule()], views, now)
    return [one.due_at for one in told], after


def test_grd_15_grace_runs_from_the_first_announcement() -> None:
    due, marks = announced([finding()], Marks(), seen())
    assert due == [NOW + WEEK]
    again, after = announced([finding()], marks, seen(), LATER)
    assert again == [NOW + WEEK]
    assert after == marks


@pytest.mark.parametrize(
    "changes", [{"rule": "other"}, {"remedy": None}, {"exemption": "ada: accepted"}]
)
def test_what_is_not_announced_has_no_due_date_and_no_mark(changes: dict[str, Any]) -> None:
    stale = finding(due_at=NOW, **changes)
    assert announced([stale], Marks(), seen()) == ([None], Marks())


def test_last_reminder_begins_so_long_before_the_end_of_the_grace() -> None:
    reminding = [rule(notice=timedelta(days=2))]
    (told,), marks = announce([finding()], Marks(), reminding, seen(), NOW)
    assert (told.due_at, told.notice_at) == (NOW + WEEK, NOW + timedelta(days=5))
    (again,), _ = announce([finding()], marks, reminding, seen(), LATER)
    assert again.notice_at == told.notice_at
    (bare,), _ = announce([finding(notice_at=NOW)], Marks(), [rule()], seen(), NOW)
    assert bare.notice_at is None


def test_grace_begins_anew_once_an_exemption_has_ended() -> None:
    _, marks = announced([finding()], Marks(), seen())
    _, during = announced([finding(exemption="EX-1")], marks, seen(), LATER)
    due, _ = announced([finding()], during, seen(), LATER)
    assert due == [LATER + WEEK]


@pytest.mark.parametrize("mode", [Mode.REPORT, Mode.APPLY])
def test_other_modes_announce_nothing(mode: Mode) -> None:
    told, marks = announce([finding()], Marks(), [rule(mode)], seen(), NOW)
    assert [one.due_at for one in told] == [None]
    assert marks == Marks()


@pytest.mark.parametrize("changes", [{"age": "8d"}, {"age": "9d", "identity": "new"}])
def test_i1_snapshot_recreated_under_its_name_starts_anew(changes: dict[str, Any]) -> None:
    _, marks = announced([finding()], Marks(), seen())
    recreated = seen(snapshot("before-upgrade", **changes))
    due, after = announced([finding()], marks, recreated, LATER)
    assert due == [LATER + WEEK]
    assert len(after.entries) == 1


def test_finding_that_is_gone_is_forgotten_and_starts_anew() -> None:
    _, marks = announced([finding()], Marks(), seen())
    _, marks = announced([], marks, seen(), LATER)
    assert marks == Marks()
    assert announced([finding()], marks, seen(), LATER)[0] == [LATER + WEEK]


@pytest.mark.parametrize(
    "views",
    [
        [],
        seen(state=CoverageState.PARTIAL),
        seen(state=CoverageState.MISSING),
        seen(state=CoverageState.SUSPICIOUS),
        [replace(seen()[0], endpoint="kvm2")],
    ],
)
def test_mark_is_kept_while_its_endpoint_is_not_seen_completely(views: list[Inventory]) -> None:
    _, marks = announced([finding()], Marks(), seen())
    assert announced([], marks, views, LATER)[1] == marks


def test_i10_mark_of_the_future_counts_from_now() -> None:
    _, marks = announced([finding()], Marks(), seen(), LATER)
    due, after = announced([finding()], marks, seen())
    assert due == [NOW + WEEK]
    assert [mark.announced_at for mark in after.entries.values()] == [NOW]


def test_finding_about_a_machine_is_marked_too() -> None:
    subject = Subject(
        kind=SubjectKind.VIRTUAL_MACHINE, endpoint="kvm1", id="id-web01", name="web01"
    )
    due, marks = announced([finding(subject=subject)], Marks(), seen())
    assert due == [NOW + WEEK]
    assert announced([finding(subject=subject)], marks, seen(), LATER)[0] == due


def test_rule_without_grace_is_due_at_once() -> None:
    told, _ = announce([finding()], Marks(), [rule(grace=None)], seen(), NOW)
    assert told[0].due_at == NOW


# the file -----------------------------------------------------------------------------------------


def test_marks_are_read_back_as_they_were_written(state: State) -> None:
    _, marks = announced([finding(), finding("other")], Marks(), seen())
    write_marks(state, marks)
    assert read_marks(state) == marks
    assert len(marks.entries) == 2
    assert state.marks.stat().st_mode & 0o777 == 0o600


def test_no_file_means_no_marks(state: State) -> None:
    assert read_marks(state) == Marks()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"schema": "snapaudit/marks@2", "marks": {}}',
        b'{"schema": "snapaudit/marks@1", "marks": []}',
        b'{"schema": "snapaudit/marks@1", "marks": {}, "marks": {}}',
        b"[" * 100_000,
    ],
)
def test_inv_13_unreadable_marks_count_as_none_and_it_is_said(state: State, body: bytes) -> None:
    state.marks.write_bytes(body)
    marks = read_marks(state)
    assert marks.entries == {}
    assert "every grace period begins anew" in str(marks.unreadable)


def test_s6_marks_others_may_write_or_that_are_no_file_count_as_none(state: State) -> None:
    write_marks(state, Marks(entries={"k": Mark(endpoint="kvm1", announced_at=NOW)}))
    state.marks.chmod(0o622)
    assert read_marks(state).entries == {}
    assert "others may write" in str(read_marks(state).unreadable)
    state.marks.unlink()
    os.mkfifo(state.marks)
    assert "not a file" in str(read_marks(state).unreadable)


@pytest.mark.parametrize(
    "entry",
    [
        "null",
        '"x"',
        "{}",
        '{"endpoint": "kvm1"}',
        '{"endpoint": 5, "announced_at": "2020-01-01T00:00:00Z"}',
        '{"endpoint": "kvm1", "announced_at": "2020-01-01T00:00:00"}',
        '{"endpoint": "kvm1", "announced_at": "long ago"}',
        '{"endpoint": "kvm1", "announced_at": 5}',
    ],
)
def test_inv_13_malformed_mark_was_never_announced(state: State, entry: str) -> None:
    state.marks.write_text(f'{{"schema": "snapaudit/marks@1", "marks": {{"k": {entry}}}}}')
    assert read_marks(state) == Marks()
