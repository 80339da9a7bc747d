"""Known: which findings of an audit an earlier remembered run had too, which are new or worse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from snapaudit.history.database import Database
from snapaudit.history.identity import number_of_subject, to_moment, to_number
from snapaudit.history.verdicts import snapshots_of, standing
from snapaudit.model.baseline import is_worse
from snapaudit.model.check import Compared
from snapaudit.model.finding import Audit, Finding
from snapaudit.model.policy import Severity, SubjectKind

_Before = dict[int, tuple[dict[str, Severity], int | None]]


def known(database: Database, audit: Audit, at: datetime, tolerance: float) -> Compared | None:
    """The standing findings beside those of the last run before a moment; None: there is no run.

    A run of the very moment is that audit recorded already, beside which nothing would be new.
    An exemption's own findings are of no endpoint and never remembered, so they are none of these.
    What is resolved, `snapaudit diff` tells.
    """
    rows = database.rows(
        "SELECT id, audited_at FROM run WHERE has_details = 1 AND audited_at < ? "
        "ORDER BY audited_at DESC, id DESC LIMIT 1",
        (to_number(at),),
    )
    if not rows:
        return None
    run, ran_at = rows[0]
    before = dict(_found(database, run))
    new, worse, same = [], [], 0
    for number, size, one in _numbered(audit):
        rules, size_then = before.get(number, ({}, None))
        then = rules.get(one.rule)
        if then is None:
            new.append(one.fingerprint)
        elif is_worse(then, one.severity, size_then, size, tolerance):
            worse.append(one.fingerprint)
        else:
            same += 1
    since = f"the run of {to_moment(ran_at):%Y-%m-%dT%H:%M:%SZ}"
    return Compared(since=since, new=tuple(new), worse=tuple(worse), resolved=(), known=same)


def _found(
    database: Database, run: object
) -> Iterator[tuple[int, tuple[dict[str, Severity], int | None]]]:
    rows = database.rows(
        "SELECT s.subject, w.text, s.size FROM sighting s JOIN word w ON w.id = s.verdict "
        "WHERE s.run = ?",
        (run,),
    )
    for subject, text, size in rows:
        yield subject, (standing(text), size)


def _numbered(audit: Audit) -> Iterator[tuple[int, int | None, Finding]]:
    """Each standing finding with the number of its subject and the size of a snapshot."""
    shots = {
        (seen.endpoint, vm.id, shot.id): (number, shot.size_bytes)
        for seen in audit.inventories
        for number, vm, shot in snapshots_of(seen)
    }
    for one in audit.findings:
        about = one.subject
        if one.exemption is not None or about.kind is SubjectKind.EXEMPTION:
            continue
        if about.kind is SubjectKind.SNAPSHOT:
            number, size = shots[about.endpoint, about.vm_id or "", about.id]
            yield number, size, one
        else:
            yield number_of_subject(about), None, one
