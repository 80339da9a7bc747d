"""Reading: from rows back to the runs and the series of the datastores."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from snapaudit.history.database import Database, Row
from snapaudit.history.identity import to_moment, to_number
from snapaudit.history.recording import RUN
from snapaudit.model.finding import EndpointCoverage, Summary
from snapaudit.model.history import DatastoreSeries, Level, RunRecord
from snapaudit.model.inventory import ByteRange, CoverageState

OFFERED_BASIS = "unprotected snapshots that a finding offered then, each deleted alone"


def runs(
    database: Database, *, limit: int | None = None, until: datetime | None = None
) -> tuple[RunRecord, ...]:
    """The remembered runs, the newest first; only those up to a moment if one is given."""
    where, values = ("", ()) if until is None else ("WHERE audited_at <= ?", (to_number(until),))
    order = "ORDER BY audited_at DESC, id DESC"
    cut = "" if limit is None else f"LIMIT {int(limit)}"
    rows = database.rows(f"SELECT {', '.join(RUN)} FROM run {where} {order} {cut}", values)
    coverage, matches = _coverage(database, rows), _matches(database, rows)
    return tuple(_run(row, coverage.get(row[0], []), matches.get(row[0], {})) for row in rows)


def endpoints(database: Database) -> tuple[str, ...]:
    """The names of all endpoints that are remembered."""
    return tuple(name for (name,) in database.rows("SELECT name FROM endpoint ORDER BY name"))


def _chosen(rows: Sequence[Row]) -> tuple[str, Row]:
    marks = ", ".join("?" * len(rows))
    return f"IN ({marks})", tuple(row[0] for row in rows)


def _portions(rows: Sequence[Row], size: int = 500) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _coverage(database: Database, rows: Sequence[Row]) -> dict[int, list[EndpointCoverage]]:
    found: defaultdict[int, list[EndpointCoverage]] = defaultdict(list)
    for portion in _portions(rows):
        which, ids = _chosen(portion)
        for run, name, state, reason, machines, snapshots, cautions in database.rows(
            "SELECT c.run, e.name, c.state, c.reason, c.virtual_machines, c.snapshots, c.cautions "
            f"FROM coverage c JOIN endpoint e ON e.id = c.endpoint WHERE c.run {which} "
            "ORDER BY e.name",
            ids,
        ):
            one = EndpointCoverage(
                endpoint=name,
                state=CoverageState(state),
                reason=reason,
                virtual_machines=machines,
                snapshots=snapshots,
                cautions=tuple(json.loads(cautions)),
            )
            found[run].append(one)
    return found


def _matches(database: Database, rows: Sequence[Row]) -> dict[int, dict[str, int]]:
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for portion in _portions(rows):
        which, ids = _chosen(portion)
        for run, rule, matches in database.rows(
            "SELECT c.run, w.text, c.matches FROM rule_count c JOIN word w ON w.id = c.rule "
            f"WHERE c.run {which} ORDER BY w.text",
            ids,
        ):
            found[run][rule] = matches
    return found


def _run(row: Row, coverage: list[EndpointCoverage], matches: dict[str, int]) -> RunRecord:
    said = dict(zip(RUN, row, strict=True))
    counted = {
        name: said[name]
        for name in (
            *("info", "warning", "critical", "undetermined", "exempt"),
            *("virtual_machines", "snapshots"),
            *("datastores", "snapshot_bytes", "unknown_sizes", "rules"),
        )
    }
    return RunRecord(
        id=said["id"],
        audited_at=to_moment(said["audited_at"]),
        tool_version=said["tool_version"],
        rules_digest=said["rules_digest"],
        coverage=tuple(coverage),
        summary=Summary(
            **counted,
            reclaimable_bytes=ByteRange(
                min=said["reclaimable_min"],
                max=said["reclaimable_max"],
                basis=said["reclaimable_basis"],
            ),
            disabled_rules=tuple(json.loads(said["disabled"])),
        ),
        matches=matches,
        has_details=bool(said["has_details"]),
    )


def datastores(
    database: Database, *, since: datetime | None = None, until: datetime | None = None
) -> tuple[DatastoreSeries, ...]:
    """The levels of every datastore within a span of time, by endpoint, name and id."""
    low = 0 if since is None else to_number(since)
    high = 2**62 if until is None else to_number(until)
    levels: dict[Row, list[Level]] = defaultdict(list)
    for endpoint, name, native, at, *sizes in database.rows(
        "SELECT e.name, s.name, s.native, r.audited_at, l.capacity, l.free, l.held, "
        "l.offered_min, l.offered_max FROM level l JOIN run r ON r.id = l.run "
        "JOIN subject s ON s.id = l.subject JOIN endpoint e ON e.id = s.endpoint "
        "WHERE r.audited_at BETWEEN ? AND ? ORDER BY e.name, s.name, s.native, r.audited_at, r.id",
        (low, high),
    ):
        levels[endpoint, native, name].append(_level(at, *sizes))
    return tuple(
        DatastoreSeries(endpoint=endpoint, id=native, name=name, levels=tuple(many))
        for (endpoint, native, name), many in levels.items()
    )


def _level(
    at: int,
    capacity: int | None,
    free: int | None,
    held: int | None,
    offered_min: int | None,
    offered_max: int | None,
) -> Level:
    low = offered_min or 0
    return Level(
        at=to_moment(at),
        capacity_bytes=capacity,
        free_bytes=free,
        held_bytes=held,
        offered_bytes=ByteRange(min=low, max=offered_max, basis=OFFERED_BASIS),
    )
