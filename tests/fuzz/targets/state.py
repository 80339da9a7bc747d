"""What we keep ourselves, and others may damage: plans, journal, baseline, history and the rest."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

from snapaudit.app.weekly.keeping import keep, kept
from snapaudit.archive.shelf import MARK, shelved
from snapaudit.check.baseline import baseline_of, document, read_baseline
from snapaudit.check.selection import Selection
from snapaudit.codec.documents import to_json
from snapaudit.codec.strict import canonical
from snapaudit.enforce.chain import BEGINNING, next_line
from snapaudit.enforce.journal import Record, read_journal
from snapaudit.enforce.marks import Mark, Marks, read_marks, write_marks
from snapaudit.enforce.record import calls_made, footing_of
from snapaudit.enforce.sealing import read_plan, reseal, seal
from snapaudit.enforce.sightings import note_sightings, read_sightings
from snapaudit.enforce.state import State
from snapaudit.errors import SnapauditError
from snapaudit.mail.ledger import NAME, Ledger
from snapaudit.model.check import Status
from snapaudit.model.edition import EDITION_SCHEMA, Edition
from snapaudit.model.journal import Entry, Event
from snapaudit.model.weekly import KeyName
from snapaudit.rules.engine import audit
from tests.builders import NOW, inventory, snapshot, vm
from tests.enforce.planned import action, draft, plan, resolved
from tests.fuzz.target import Form, Target
from tests.fuzz.targets import scratch
from tests.fuzz.targets.outcome import policy

# Plans ------------------------------------------------------------------------------------------


def _plan(data: bytes) -> None:
    """As it lies there, both the reviewer's copy and the one that says what was made here."""
    state = scratch.state()
    for folder in (state.plans, state.sealed):
        scratch.kept(folder / "plan-1.json", data)
    path = state.plans / "plan-1.json"
    with suppress(SnapauditError):  # what comes after is asked of what is refused as well
        reseal(state, path, "ada", NOW)
    read_plan(state, path)


def _resealed(data: bytes) -> None:
    """The same under a digest that fits, as whoever edits a file can reckon it."""
    _plan(_with_digest(data, lambda body: hashlib.sha256(canonical(body)).hexdigest()))


def _with_digest(data: bytes, digest: Callable[[dict[str, Any]], str]) -> bytes:
    try:
        found = json.loads(data)
        body = {key: value for key, value in found.items() if key != "digest"}
        return json.dumps({**body, "digest": digest(body)}).encode()
    except (ValueError, AttributeError, RecursionError):
        return data


def _plans() -> Iterator[bytes]:
    yield seal(plan(action(), action("a2"), id="plan-1"))
    yield seal(plan(action(), id="plan-1", reviewer="ada", reviewed_at=NOW))


# The journal ------------------------------------------------------------------------------------


def _journal(data: bytes) -> None:
    scratch.kept(scratch.state().journal, data)
    scratch.state().head.unlink(missing_ok=True)
    _understood(read_journal(scratch.state()))


def _understood(record: Record) -> None:
    """What a run asks of a journal before it does anything."""
    for action_id in {entry.action_id for entry in record.entries}:
        entries = record.of_action(action_id)
        calls_made(entries)
        footing_of(entries)
        for course in record.courses(action_id):
            _ = course.is_open
    record.open_actions()
    record.plan_use("plan-1", ["a1"])


def _rehashed(data: bytes) -> None:
    """The same with numbers and hashes that fit, as a program with a fault would write them."""
    lines, last = [], BEGINNING
    for number, line in enumerate(data.splitlines(), 1):
        with suppress(ValueError, RecursionError, TypeError):
            found = {**json.loads(line), "seq": number, "previous": last}
            found.pop("hash", None)
            last = hashlib.sha256(canonical(found)).hexdigest()
            lines.append(canonical({**found, "hash": last}) + b"\n")
    _journal(b"".join(lines))


def _journals() -> Iterator[bytes]:
    detail = {
        "call": "delete", "endpoint": "kvm1", "vm_id": "id-web01", "completes": 1, "spares": 0,
        "snapshot_id": "s", "datastores": "pool-1 pool-2", "power_state": "on",
        "siblings": '{"s2": "f00"}', "about.image": "/vm/web01.qcow2", "about.attempt": 1,
    }  # fmt: skip
    yield _lines(
        draft(detail=detail),
        draft(Event.SUBMITTED, task_id="task-1"),
        draft(Event.DONE, detail={"frees_bytes": 17}),
        draft(action_id="a2"),
        draft(Event.UNKNOWN, "a2"),
        resolved("no-effect", "a2"),
        draft(action_id="a2"),
        draft(Event.REFUSED, "a3"),
    )


def _lines(*drafts: Any) -> bytes:
    raw, last = b"", None
    for number, one in enumerate(drafts):
        entry: Entry
        entry, line = next_line(one, NOW + timedelta(seconds=number), last)
        raw, last = raw + line, entry
    return raw


def _head(data: bytes) -> None:
    scratch.kept(scratch.state().journal, next(_journals()))
    scratch.kept(scratch.state().head, data)
    read_journal(scratch.state())


def _heads() -> Iterator[bytes]:
    last = json.loads(next(_journals()).splitlines()[-1])
    yield canonical({"seq": last["seq"], "hash": last["hash"]}) + b"\n"


# Beside them ------------------------------------------------------------------------------------


def _never_raises(name: str, read: Callable[[State], object]) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        scratch.kept(scratch.state().folder / name, data)
        read(scratch.state())

    return run


def _marks() -> Iterator[bytes]:
    state = scratch.state()
    write_marks(state, Marks(entries={"rule|kvm1|vm|s": Mark(endpoint="kvm1", announced_at=NOW)}))
    yield state.marks.read_bytes()


def _sightings() -> Iterator[bytes]:
    state = scratch.state()
    note_sightings(state, [inventory(vm("web01", snapshot()))])
    yield state.sightings.read_bytes()


def _note_again(state: State) -> None:
    read_sightings(state)
    note_sightings(state, [inventory(vm("web01", snapshot()))])


def _audit() -> Any:
    return audit([inventory(vm("web01", snapshot(age="90d")))], policy(), NOW)


def _kept_audit(data: bytes) -> None:
    state = scratch.state()
    scratch.kept(state.last_audit, data)
    kept(state)


def _kept_text(data: bytes) -> None:
    _kept_audit(gzip.compress(data, 1, mtime=0))


def _kept_audits() -> Iterator[bytes]:
    keep(_audit(), NOW, scratch.state())
    yield scratch.state().last_audit.read_bytes()


def _edition(data: bytes) -> None:
    folder = scratch.folder() / "reports"
    (folder / "2026-05-01").mkdir(parents=True, exist_ok=True)
    (folder / "2026-05-01" / MARK).write_bytes(data)
    shelved(folder)


def _editions() -> Iterator[bytes]:
    made = Edition(
        schema=EDITION_SCHEMA,
        reported_at=NOW,
        status=next(iter(Status)),
        sentence="all is well",
        numbers=dict.fromkeys(KeyName, 17),
        files={"weekly.html": "f" * 64},
    )
    yield to_json(made).encode()


def _ledger(data: bytes) -> None:
    scratch.kept(scratch.state().folder / NAME, data)
    with Ledger(scratch.state().folder):
        pass


def _ledgers() -> Iterator[bytes]:
    entry = {"at": "2026-05-01T00:00:00Z", "run": "r1", "part": "team", "to": "a@example.org"}
    lines = [
        json.dumps({**entry, "attempt": n, "fate": f}) for n, f in ((0, "unknown"), (0, "sent"))
    ]
    yield "\n".join(lines).encode() + b"\n"


def _baseline(data: bytes) -> None:
    read_baseline(scratch.file("baseline.json", data))


def _baseline_anew(data: bytes) -> None:
    _baseline(_with_digest(data, lambda body: hashlib.sha256(canonical(body)).hexdigest()))


def _baselines() -> Iterator[bytes]:
    yield document(baseline_of(_audit(), Selection(), rules_digest="d" * 64, tool_version="1.0"))


def _target(name: str, run: Callable[[bytes], object], examples: Any, **more: Any) -> Target:
    return Target(name=name, group="state", run=run, examples=examples, **more)


_NEVER: dict[str, Any] = {"form": Form.JSON, "expected": ()}
TARGETS = (
    _target("plan", _plan, _plans, form=Form.JSON),
    _target("plan-resealed", _resealed, _plans, form=Form.JSON),
    _target("journal", _journal, _journals, form=Form.LINES),
    _target("journal-rehashed", _rehashed, _journals, form=Form.LINES),
    _target("journal-head", _head, _heads, form=Form.JSON),
    _target("marks", _never_raises("marks.json", read_marks), _marks, **_NEVER),
    _target("sightings", _never_raises("sightings.json", _note_again), _sightings, **_NEVER),
    _target("kept-audit", _kept_audit, _kept_audits),
    _target(
        "kept-audit-text",
        _kept_text,
        lambda: map(gzip.decompress, _kept_audits()),
        form=Form.JSON,
    ),
    _target("edition", _edition, _editions, **_NEVER),
    _target("mail-ledger", _ledger, _ledgers, form=Form.LINES),
    _target("baseline", _baseline, _baselines, form=Form.JSON),
    _target("baseline-resealed", _baseline_anew, _baselines, form=Form.JSON),
)
