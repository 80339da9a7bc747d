"""Difference: what was new, worse, resolved, grown and back again between two moments.

Endpoint by endpoint, each as it was last seen by either moment: runs need not have read them all.
An endpoint that was not seen completely at the end resolves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from snapaudit.errors import HistoryError
from snapaudit.history.database import Database, Row
from snapaudit.history.identity import to_moment, to_number
from snapaudit.history.verdicts import read_verdict, risen
from snapaudit.model.finding import Subject
from snapaudit.model.history import Change, Diff, Unseen
from snapaudit.model.inventory import CoverageState
from snapaudit.model.policy import SubjectKind

_SUBJECT = "s.kind, e.name, s.native, s.name, m.native, m.name"
_JOINED = (
    "JOIN subject s ON s.id = {here}.subject JOIN endpoint e ON e.id = s.endpoint "
    "LEFT JOIN subject m ON m.id = s.machine"
)


@dataclass(frozen=True, slots=True)
class _View:
    """How an endpoint was last seen."""

    run: int
    at: int
    state: str
    reason: str | None


def changes(database: Database, since: datetime, until: datetime) -> Diff:
    """What changed; from the first run on, where ``since`` is earlier.

    Raises HistoryError where nothing was recorded by ``until``.
    """
    first, last = _span(database, to_number(since), to_number(until))
    ends = (max(to_number(since), first), to_number(until))
    rules = _rules_in_force(database, ends[1])
    found = _Found([], [], [], [], [], [])
    for endpoint, name in database.rows("SELECT id, name FROM endpoint ORDER BY name"):
        _Comparison(database, endpoint, name, ends, rules, found).compare()
    return Diff(
        since=to_moment(first),
        until=to_moment(last),
        new=_ordered(found.new),
        resolved=_ordered(found.resolved),
        grown=tuple(sorted(found.grown, key=_by_growth)),
        back=_ordered(found.back),
        worse=_ordered(found.worse),
        unseen=tuple(found.unseen),
    )


def _span(database: Database, since: int, until: int) -> tuple[int, int]:
    """The moments of the runs that are compared."""
    run = "FROM run WHERE has_details = 1 AND audited_at <= ?"
    [(last,)] = database.rows(f"SELECT MAX(audited_at) {run}", (until,))
    if last is None:
        said = _said(until)
        raise HistoryError(f"{database.place}: no run up to {said} is remembered in detail")
    [(first,)] = database.rows(f"SELECT MAX(audited_at) {run}", (since,))
    if first is None:
        [(first,)] = database.rows(f"SELECT MIN(audited_at) {run}", (until,))
    return int(first), int(last)


def _rules_in_force(database: Database, until: int) -> frozenset[str]:
    rows = database.rows(
        "SELECT w.text FROM rule_count c JOIN word w ON w.id = c.rule WHERE c.run = "
        "(SELECT id FROM run WHERE audited_at <= ? AND has_details = 1 "
        "ORDER BY audited_at DESC, id DESC LIMIT 1)",
        (until,),
    )
    return frozenset(str(rule) for (rule,) in rows)


@dataclass(frozen=True, slots=True)
class _Found:
    new: list[Change]
    resolved: list[Change]
    grown: list[Change]
    back: list[Change]
    worse: list[Change]
    unseen: list[Unseen]


class _Comparison:
    """One endpoint at both moments."""

    def __init__(
        self,
        database: Database,
        endpoint: int,
        name: str,
        ends: tuple[int, int],
        rules: frozenset[str],
        found: _Found,
    ) -> None:
        self._database, self._endpoint, self._name = database, endpoint, name
        self._since, self._until = ends
        self._rules, self._found = rules, found
        self._head = self._last_seen(self._until)

    def compare(self) -> None:
        """Add what there is to the lists."""
        base = self._last_seen(self._since, is_whole=True) or self._last_seen(self._since)
        head = self._head
        latest = self._last_seen(self._until, with_missing=True)
        self._tell_unseen(base, head, latest)
        if head is None or (base is not None and base.run == head.run):
            return
        base_run, base_at = (-1, self._since) if base is None else (base.run, base.at)
        for row in self._present(base_run, head.run):
            self._add_present(row, base_at)
        if self._is_whole_now() and base is not None:
            for row in self._gone(base.run, head.run):
                self._add_gone(row)

    def _is_whole_now(self) -> bool:
        return self._head is not None and self._head.state == CoverageState.COMPLETE

    def _last_seen(
        self, end: int, *, is_whole: bool = False, with_missing: bool = False
    ) -> _View | None:
        states = "c.state = 'complete'" if is_whole else "c.state <> 'missing'"
        rows = self._database.rows(
            "SELECT r.id, r.audited_at, c.state, c.reason FROM coverage c "
            "JOIN run r ON r.id = c.run WHERE c.endpoint = ? AND r.audited_at <= ? "
            f"AND r.has_details = 1 AND {'1 = 1' if with_missing else states} "
            "ORDER BY r.audited_at DESC, r.id DESC LIMIT 1",
            (self._endpoint, end),
        )
        return _View(*rows[0]) if rows else None

    def _tell_unseen(self, base: _View | None, head: _View | None, latest: _View | None) -> None:
        if (
            latest is not None
            and latest.state != CoverageState.COMPLETE
            and (head is None or latest.at > self._since)
        ):
            why = f": {latest.reason}" if latest.reason else ""
            self._unseen(f"{latest.state} on {_said(latest.at)}{why}; nothing of it is resolved")
        elif head is not None and base is not None and base.run == head.run:
            self._unseen(f"not looked at since {_said(head.at)}; nothing of it is compared")
        if base is not None and base.state != CoverageState.COMPLETE:
            self._unseen(
                f"only {base.state} on {_said(base.at)}; what is new of it may have been there"
            )

    def _unseen(self, reason: str) -> None:
        self._found.unseen.append(Unseen(endpoint=self._name, reason=reason))

    def _present(self, base: int, head: int) -> list[Row]:
        """What is there at the end and is not just as it was, with what it was."""
        return self._database.rows(
            f"SELECT {_SUBJECT}, s.first_seen_at, s.first_found_at, b.subject, "
            "h.size, b.size, hw.text, bw.text "
            f"FROM sighting h {_JOINED.format(here='h')} "
            "LEFT JOIN sighting b ON b.run = ? AND b.subject = h.subject "
            "LEFT JOIN word hw ON hw.id = h.verdict LEFT JOIN word bw ON bw.id = b.verdict "
            "WHERE h.run = ? AND s.endpoint = ? AND (b.subject IS NULL OR h.size > b.size "
            "OR COALESCE(h.verdict, 0) <> COALESCE(b.verdict, 0))",
            (base, head, self._endpoint),
        )

    def _gone(self, base: int, head: int) -> list[Row]:
        return self._database.rows(
            f"SELECT {_SUBJECT}, b.size, bw.text "
            f"FROM sighting b {_JOINED.format(here='b')} "
            "LEFT JOIN sighting h ON h.run = ? AND h.subject = b.subject "
            "LEFT JOIN word bw ON bw.id = b.verdict "
            "WHERE b.run = ? AND s.endpoint = ? AND h.subject IS NULL",
            (head, base, self._endpoint),
        )

    def _add_present(self, row: Row, base_at: int) -> None:
        first_seen, first_found, was_there, size, before, says, said = row[6:]
        now, then = read_verdict(says), read_verdict(said)
        is_snapshot = row[0] == SubjectKind.SNAPSHOT
        change = _change(row, now.found, size, before)
        if was_there is None and is_snapshot:
            self._add_new(change, is_back=first_seen <= base_at)
        elif now.found and not then.found:
            self._add_new(change, is_back=first_found is not None and first_found < base_at)
        elif then.found and not now.found:
            self._add_cleared(row, then.found, now.undecided, size, before)
        elif worse := risen(said or "", says or ""):
            self._found.worse.append(_change(row, worse, size, before))
        if was_there is not None and size is not None and before is not None and size > before:
            self._found.grown.append(change)

    def _add_new(self, change: Change, *, is_back: bool) -> None:
        if is_back:
            self._found.back.append(change)
        elif change.rules or change.subject.kind is SubjectKind.SNAPSHOT:
            self._found.new.append(change)

    def _add_cleared(
        self,
        row: Row,
        had: frozenset[str],
        undecided: frozenset[str],
        size: int | None,
        before: int | None,
    ) -> None:
        """It is there still, and no rule finds anything. Of a rule that is off nobody knows."""
        cleared = (had - undecided) & self._rules
        if cleared and self._is_whole_now():
            self._found.resolved.append(_change(row, cleared, size, before))

    def _add_gone(self, row: Row) -> None:
        before, said = row[6:]
        had = read_verdict(said).found
        is_snapshot = row[0] == SubjectKind.SNAPSHOT
        if had & self._rules or is_snapshot:
            self._found.resolved.append(_change(row, had, None, before))


def _change(row: Row, rules: frozenset[str], size: int | None, before: int | None) -> Change:
    kind, endpoint, native, name, vm_id, vm_name = row[:6]
    if kind == SubjectKind.VIRTUAL_MACHINE:
        vm_id, vm_name = native, name
    subject = Subject(
        kind=SubjectKind(kind),
        endpoint=endpoint,
        id=native,
        name=name,
        vm_id=vm_id,
        vm_name=vm_name,
    )
    return Change(
        subject=subject,
        rules=tuple(sorted(rules)),
        size_bytes=size,
        previous_size_bytes=before,
    )


def _said(at: int) -> str:
    return f"{to_moment(at):%Y-%m-%dT%H:%M:%SZ}"


def _ordered(many: list[Change]) -> tuple[Change, ...]:
    """Those that rules speak of first, the largest of these first."""
    return tuple(sorted(many, key=lambda one: (not one.rules, -_bytes(one), *_name(one))))


def _by_growth(one: Change) -> tuple[int | str, ...]:
    return ((one.previous_size_bytes or 0) - (one.size_bytes or 0), *_name(one))


def _bytes(one: Change) -> int:
    return one.size_bytes or one.previous_size_bytes or 0


def _name(one: Change) -> tuple[str, ...]:
    subject = one.subject
    return subject.endpoint, subject.vm_name or "", subject.name, subject.vm_id or "", subject.id


def moments(database: Database, until: datetime) -> Iterator[datetime]:
    """When the last two runs were that can be compared, the latest first."""
    rows = database.rows(
        "SELECT DISTINCT audited_at FROM run WHERE has_details = 1 AND audited_at <= ? "
        "ORDER BY audited_at DESC LIMIT 2",
        (to_number(until),),
    )
    yield from (to_moment(at) for (at,) in rows)
