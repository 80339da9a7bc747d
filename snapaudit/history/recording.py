"""Recording: from an audit to rows, all of them in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from snapaudit.history.database import Database, Row
from snapaudit.history.identity import number_of, storable, to_number
from snapaudit.history.offered import offered
from snapaudit.history.verdicts import Judged, judged, snapshots_of
from snapaudit.history.words import Words
from snapaudit.model.finding import Audit, Purpose
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.model.past import NOTHING_REMEMBERED, DatastoreKey, Past
from snapaudit.model.policy import SubjectKind

RUN = (
    *("id", "audited_at", "has_details", "tool_version", "rules_digest"),
    *("info", "warning", "critical", "undetermined", "exempt"),
    *("virtual_machines", "snapshots"),
    *("datastores", "snapshot_bytes", "unknown_sizes"),
    *("reclaimable_min", "reclaimable_max", "reclaimable_basis", "rules", "disabled"),
)
COVERAGE = ("run", "endpoint", "state", "reason", "virtual_machines", "snapshots", "cautions")
SUBJECT = (
    *("id", "endpoint", "kind", "machine", "native", "name", "created_at", "creator"),
    *("first_seen_at", "first_found_at"),
)
SIGHTING = ("run", "subject", "size", "verdict", "purpose", "score")
LEVEL = ("subject", "run", "capacity", "free", "held", "offered_min", "offered_max")
FORECAST = ("subject", "run", "trend", "samples", "capacity", "level", "low", "likely", "high")
# Most rows say what is known already; then nothing is written.
_KNOWN_SUBJECT = """ON CONFLICT (id) DO UPDATE SET {name}
    creator = COALESCE(subject.creator, excluded.creator),
    first_seen_at = CASE WHEN excluded.first_seen_at < subject.first_seen_at
        THEN excluded.first_seen_at ELSE subject.first_seen_at END,
    first_found_at = CASE WHEN subject.first_found_at IS NULL
        OR excluded.first_found_at < subject.first_found_at
        THEN excluded.first_found_at ELSE subject.first_found_at END
    WHERE excluded.name <> subject.name
        OR excluded.first_seen_at < subject.first_seen_at
        OR (subject.creator IS NULL AND excluded.creator IS NOT NULL)
        OR (excluded.first_found_at IS NOT NULL AND (subject.first_found_at IS NULL
            OR excluded.first_found_at < subject.first_found_at))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A run to be remembered. ``at`` is its date, which need not be when it was judged.

    ``rules`` are those in force. ``held`` is what snapshots hold of a datastore, ``past`` what was
    forecast in this run.
    """

    audit: Audit
    at: datetime
    tool_version: str
    rules_digest: str
    rules: tuple[str, ...]
    held: Mapping[DatastoreKey, int | None] = field(default_factory=dict)
    past: Past = NOTHING_REMEMBERED


def record(database: Database, recording: Recording) -> int:
    """Store the run; its id. One of the same moment and the same endpoints is replaced by it."""
    with database.transaction():
        _forget_same(database, recording)
        [(last,)] = database.rows("SELECT MAX(id) FROM run")
        run = int(last or 0) + 1
        is_newest = not database.rows(
            "SELECT 1 FROM run WHERE audited_at > ? LIMIT 1", (to_number(recording.at),)
        )
        _Rows(database, recording, run).store(is_newest=is_newest)
    return run


def _forget_same(database: Database, recording: Recording) -> None:
    wanted = {one.endpoint for one in recording.audit.coverage}
    same = database.rows("SELECT id FROM run WHERE audited_at = ?", (to_number(recording.at),))
    for (run,) in same:
        names = database.rows(
            "SELECT e.name FROM coverage c JOIN endpoint e ON e.id = c.endpoint WHERE c.run = ?",
            (run,),
        )
        if {name for (name,) in names} == {storable(one) for one in wanted}:
            database.run("DELETE FROM run WHERE id = ?", (run,))


class _Rows:
    """The rows of one run."""

    def __init__(self, database: Database, recording: Recording, run: int) -> None:
        self._database, self._recording, self._run = database, recording, run
        self._audit, self._at = recording.audit, to_number(recording.at)
        # What was not read as a whole shows nothing that could be remembered.
        self._seen = [
            one
            for one in recording.audit.inventories
            if one.coverage.state is not CoverageState.MISSING
        ]
        self._snapshots = [
            (inventory.endpoint, number, vm, snapshot)
            for inventory in self._seen
            for number, vm, snapshot in snapshots_of(inventory)
        ]
        numbers = {(at, vm.id, one.id): number for at, number, vm, one in self._snapshots}
        self._judged = {one.number: one for one in judged(self._audit, numbers)}
        self._endpoints = Words(database, "endpoint", "name")
        self._words = Words(database)

    def store(self, *, is_newest: bool) -> None:
        """Write all of them, what is referred to first."""
        insert = self._database.insert
        self._learn()
        insert("run", RUN, [self._run_row()])
        insert("coverage", COVERAGE, self._coverage())
        insert("rule_count", ("run", "rule", "matches"), self._matches())
        name = "name = excluded.name," if is_newest else "name = subject.name,"
        insert("subject", SUBJECT, self._subjects(), _KNOWN_SUBJECT.format(name=name))
        insert("sighting", SIGHTING, self._sightings())
        insert("level", LEVEL, self._levels())
        insert("forecast", FORECAST, self._forecasts())

    def _learn(self) -> None:
        purposes = {one.purpose for one in self._audit.purposes}
        verdicts = {one.verdict for one in self._judged.values()}
        creators = {one.creator for *_, one in self._snapshots if one.creator is not None}
        self._words.learn({*purposes, *verdicts, *creators, *self._recording.rules})
        self._endpoints.learn(one.endpoint for one in self._audit.coverage)

    def _run_row(self) -> Row:
        said, digest = self._audit.summary, self._recording.rules_digest
        gain = said.reclaimable_bytes
        return (
            *(self._run, self._at, 1, self._recording.tool_version, digest),
            *(said.info, said.warning, said.critical, said.undetermined, said.exempt),
            *(
                said.virtual_machines,
                said.snapshots,
                said.datastores,
                said.snapshot_bytes,
                said.unknown_sizes,
            ),
            *(gain.min, gain.max, gain.basis, said.rules, json.dumps(said.disabled_rules)),
        )

    def _coverage(self) -> Iterator[Row]:
        for one in self._audit.coverage:
            reason = None if one.reason is None else storable(one.reason)
            cautions = json.dumps(one.cautions)
            counts = (one.virtual_machines, one.snapshots)
            yield self._run, self._endpoints[one.endpoint], one.state, reason, *counts, cautions

    def _matches(self) -> Iterator[Row]:
        found = Counter(finding.rule for finding in self._audit.findings)
        for rule in sorted({*self._recording.rules}):
            yield self._run, self._words[rule], found[rule]

    def _subjects(self) -> list[Row]:
        rows = {row[0]: row for row in self._datastore_subjects()}
        for endpoint, number, vm, snapshot in self._snapshots:
            machine = number_of(SubjectKind.VIRTUAL_MACHINE, endpoint, None, vm.id)
            if machine not in rows:
                rows[machine] = self._subject(machine, endpoint, "virtual-machine", vm.id, vm.name)
            creator = self._words.maybe(snapshot.creator)
            made = None if snapshot.created_at is None else to_number(snapshot.created_at)
            row = (snapshot.id, snapshot.name, machine, made, creator)
            rows[number] = self._subject(number, endpoint, SubjectKind.SNAPSHOT, *row)
        for one in self._judged.values():
            subject = one.subject
            if subject.kind is SubjectKind.SNAPSHOT:
                continue
            machine_of = None
            if subject.vm_id is not None and subject.kind is not SubjectKind.VIRTUAL_MACHINE:
                place = (subject.endpoint, None, subject.vm_id)
                machine_of = number_of(SubjectKind.VIRTUAL_MACHINE, *place)
                name = subject.vm_name or subject.vm_id
                beside = self._subject(
                    machine_of, subject.endpoint, "virtual-machine", subject.vm_id, name
                )
                rows.setdefault(machine_of, beside)
            row = self._subject(
                one.number, subject.endpoint, subject.kind, subject.id, subject.name, machine_of
            )
            rows[one.number] = row
        return [rows[number] for number in sorted(rows)]

    def _subject(
        self,
        number: int,
        endpoint: str,
        kind: str,
        native: str,
        name: str,
        machine: int | None = None,
        created_at: int | None = None,
        creator: int | None = None,
    ) -> Row:
        one = self._judged.get(number)
        found_at = self._at if one is not None and one.is_found else None
        ids = (number, self._endpoints[endpoint], str(kind), machine, storable(native))
        return (*ids, storable(name), created_at, creator, self._at, found_at)

    def _datastore_subjects(self) -> Iterator[Row]:
        for inventory in self._seen:
            for store in inventory.datastores:
                number = number_of(SubjectKind.DATASTORE, inventory.endpoint, None, store.id)
                place = (inventory.endpoint, SubjectKind.DATASTORE, store.id, store.name)
                yield self._subject(number, *place)

    def _sightings(self) -> list[Row]:
        """In the order of their key, so that each page of the table is written once."""
        run, words, said = self._run, self._words, self._judged
        purposes = {(p.endpoint, p.vm_id, p.snapshot_id): p for p in self._audit.purposes}
        rows: list[Row] = []
        for endpoint, number, vm, snapshot in self._snapshots:
            purpose = purposes.get((endpoint, vm.id, snapshot.id))
            opinion = self._opinion(said.get(number), purpose)
            rows.append((run, number, snapshot.size_bytes, *opinion))
        sizes = {at: size for one in self._seen for at, size in _file_sizes(one)}
        for number, one in said.items():
            if one.subject.kind is not SubjectKind.SNAPSHOT:
                size = sizes.get((one.subject.endpoint, one.subject.id))
                rows.append((run, number, size, words[one.verdict], None, None))
        rows.sort()
        return rows

    def _opinion(self, said: Judged | None, purpose: Purpose | None) -> Row:
        verdict = None if said is None else self._words[said.verdict]
        if purpose is None:
            return verdict, None, None
        return verdict, self._words[purpose.purpose], purpose.score

    def _levels(self) -> list[Row]:
        gains, held = offered(self._audit), self._recording.held
        rows: list[Row] = []
        for inventory in self._seen:
            for store in inventory.datastores:
                key = (inventory.endpoint, store.id)
                number = number_of(SubjectKind.DATASTORE, inventory.endpoint, None, store.id)
                gain = gains.get(key)
                bounds = (0, 0) if gain is None else (gain.min, gain.max)
                sizes = (store.capacity_bytes, store.free_bytes, held.get(key))
                rows.append((number, self._run, *sizes, *bounds))
        return sorted(rows)

    def _forecasts(self) -> Iterator[Row]:
        for (endpoint, native), one in sorted(self._recording.past.forecasts.items()):
            if one.course is not None:
                number = number_of(SubjectKind.DATASTORE, endpoint, None, native)
                course = one.course
                rates = (course.level_bytes, course.low, course.likely, course.high)
                yield number, self._run, str(one.trend), one.samples, one.capacity_bytes, *rates


def _file_sizes(inventory: Inventory) -> Iterator[tuple[tuple[str, str], int | None]]:
    for vm in inventory.virtual_machines:
        for disk in vm.disks:
            for layer in disk.layers:
                yield (inventory.endpoint, layer.path), layer.size_bytes
    for stray in inventory.strays:
        yield (inventory.endpoint, stray.id), stray.size_bytes
