"""A weekly report in which one and the same name stands wherever a foreign text can stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from snapaudit.app.weekly.making import Remembered, weekly
from snapaudit.model.finding import Subject
from snapaudit.model.history import Change, DatastoreSeries, Diff, Level, Unseen
from snapaudit.model.inventory import Attribute, Coverage, CoverageState, Gap, PowerState
from snapaudit.model.past import DaysToFull, Forecast, Trend
from snapaudit.model.policy import Remedy, Severity, SubjectKind
from snapaudit.model.weekly import Allowance, Deed, Standing, WeeklyReport
from tests.builders import GIB, NOW, datastore, inventory, snapshot, stray, vm
from tests.report.records import aged, audit_of, finding, on_snapshot, open_question, purpose

_WEEK = timedelta(weeks=1)


def named(name: str) -> WeeklyReport:
    """The report of one machine, datastore and file of that name, with everything said once."""
    shots = (
        snapshot(name, id="s1", description=name, creator=name, protections=(f"{name}: {name}",)),
        snapshot(name, id="s2", parent_id="s1", power_state=PowerState.OFF),
    )
    machine = vm(
        name, *shots, id=f"id-{name}", notes=name, folder=name,
        attributes=(Attribute(name="Owner", value=name),),
    )  # fmt: skip
    seen = inventory(
        machine,
        endpoint=name,
        datastores=(datastore(name, id="d", stale_reason=name),),
        strays=(stray(name, id="f"),),
        gaps=(Gap(subject=name, reason=name),),
        blind_spots=(name,),
        coverage=Coverage(state=CoverageState.PARTIAL, reason=name),
    )
    on = on_snapshot(name, name, name)
    about = Subject(
        kind=SubjectKind.SNAPSHOT,
        endpoint=name,
        id="s1",
        name=name,
        vm_id=f"id-{name}",
        vm_name=name,
    )
    beside = Subject(kind=SubjectKind.FILE, endpoint=name, id="f", name=name)
    store = Subject(kind=SubjectKind.DATASTORE, endpoint=name, id="d", name=name)
    proof, remedy = aged("9d", "7d"), Remedy.DELETE_SNAPSHOT
    looks = purpose(name, "s1", "makeshift_backup", 90, name)
    audit = audit_of(
        seen,
        findings=(
            finding("stale-snapshot", Severity.CRITICAL, about, proof, remedy=remedy),
            finding("ancient-snapshot", Severity.WARNING, about, proof, exemption=name),
            finding("orphan-disk", Severity.WARNING, beside, proof),
            finding("datastore-near-full", Severity.WARNING, store, proof),
        ),
        undetermined=(open_question("r", on, "age", name),),
        purposes=(replace(looks, endpoint=name),),
    )
    return weekly(audit, _remembered(name, about))


def _remembered(name: str, about: Subject) -> Remembered:
    days = DaysToFull(early=3, likely=5, late=None)
    levels = tuple(
        Level(at=NOW - back * _WEEK, capacity_bytes=900 * GIB, free_bytes=(100 + back) * GIB)
        for back in (3, 2, 1, 0)
    )
    change = Change(subject=about, rules=(name,), size_bytes=2, previous_size_bytes=1)
    unseen = (Unseen(endpoint=name, reason=name),)
    return Remembered(
        series={(name, "d"): DatastoreSeries(endpoint=name, id="d", name=name, levels=levels)},
        forecasts={
            (name, "d"): Forecast(
                endpoint=name, id="d", name=name, trend=Trend.GROWING, days_to_full=days, samples=9
            )
        },
        diff=Diff(
            since=NOW - _WEEK, until=NOW, new=(change,), resolved=(change,), grown=(change,),
            back=(change,), worse=(change,), unseen=unseen,
        ),
        deeds=(
            Deed(
                at=NOW, plan_id=name, kind=Remedy.DELETE_SNAPSHOT, endpoint=name, vm_name=name,
                snapshot_name=name, event="failed", reason=name, freed_bytes=None,
            ),
        ),
        allowances=(
            Allowance(
                kind="hold", id=name, covers=name, owner=name, reason=name, expires_at=NOW,
                standing=Standing.ACTIVE, uses=None,
            ),
        ),
        rules_digest="digest",
        remarks=(name,),
    )  # fmt: skip
