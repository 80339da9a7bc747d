"""The weekly report, put together of an audit and of what is remembered."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from snapaudit.app.history import record
from snapaudit.app.weekly.asking import report_of, report_of_last_run
from snapaudit.app.weekly.keeping import keep, kept
from snapaudit.app.weekly.making import Remembered, held_against, weekly
from snapaudit.app.weekly.numbers import WEEKS
from snapaudit.app.weekly.shelves import bought
from snapaudit.config.loader import defaults
from snapaudit.config.settings import Settings
from snapaudit.enforce.holds import Holds
from snapaudit.enforce.state import State
from snapaudit.errors import InputError, RefusedError, UsageError
from snapaudit.model.exemption import Exemption, Selector
from snapaudit.model.finding import Audit
from snapaudit.model.history import RunRecord
from snapaudit.model.hold import Hold
from snapaudit.model.inventory import Attribute, Inventory, LayerRole
from snapaudit.model.past import NOTHING_REMEMBERED, DaysToFull, Forecast, Trend
from snapaudit.model.policy import Policy
from snapaudit.model.weekly import KeyName, Standing
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.builders import GIB, NOW, datastore, disk, gain, inventory, layer, snapshot, vm

DAY = timedelta(days=1)
POLICY = load_policy((), disable={}, levels={}, environments=())


def judged(*inventories: Inventory, policy: Policy = POLICY) -> Audit:
    return audit(inventories, policy, NOW)


def run(days_ago: float, number: int = 1) -> RunRecord:
    seen = judged(inventory(vm("a", snapshot(age="9d"))))
    return RunRecord(
        id=number,
        audited_at=NOW - days_ago * DAY,
        tool_version="1",
        rules_digest="d",
        coverage=seen.coverage,
        summary=seen.summary,
    )


def on(store: str, name: str, *, size: int, snapshot_age: str = "9d") -> object:
    base = layer(f"/{store}/{name}", datastore_id=store)
    shot = snapshot("s", age=snapshot_age, size_bytes=size, reclaimable_bytes=gain(size, size))
    delta = layer(
        f"/{store}/{name}.1", datastore_id=store, size_bytes=size, role=LayerRole.DELTA,
        snapshot_id="s",
    )  # fmt: skip
    return vm(name, shot, disks=(disk(base, delta),))


def test_a_report_is_held_against_the_newest_run_that_is_about_a_week_older() -> None:
    runs = (run(0), run(1), run(6.5), run(8), run(30))
    assert held_against(runs, NOW) == runs[2]


def test_where_all_runs_are_younger_the_first_of_them_is_taken() -> None:
    runs = (run(0), run(1), run(2))
    assert held_against(runs, NOW) == runs[2]
    assert held_against((run(0),), NOW) is None


def test_a_week_without_a_run_is_unknown_and_not_nothing() -> None:
    report = weekly(judged(inventory(vm("a"))), Remembered(runs=(run(0), run(7), run(21))))
    (number,) = [one for one in report.numbers if one.name is KeyName.SNAPSHOTS]
    assert len(number.samples) == WEEKS
    assert [sample.value for sample in number.samples][-4:] == [1, None, 1, 0]


def test_what_is_exempt_or_protected_is_not_promised_to_come_back() -> None:
    shots = (
        snapshot("offered", age="9d", reclaimable_bytes=gain(GIB, 2 * GIB)),
        snapshot("kept", age="9d", protections=("held: by hand",)),
        snapshot("fresh", age="1h"),
    )
    report = weekly(judged(inventory(vm("a", *shots))), Remembered())
    assert [one.snapshot.id for one in report.snapshots if one.is_offered] == ["offered"]
    assert (report.back.min, report.back.max) == (GIB, 2 * GIB)


def test_what_is_held_is_not_promised_to_come_back() -> None:
    machines = (vm("a", snapshot(age="9d")), vm("b", snapshot("snapaudit:hold", age="9d")))
    entry = Hold(
        id="h", endpoint=None, vm="a", snapshot=None, owner="dba", reason="a case", created_at=None,
        expires_at=None,
    )  # fmt: skip
    seen = judged(inventory(*machines))
    report = weekly(seen, Remembered(holds=Holds(entries=(entry,))))
    assert report.back.max == 0
    assert ["held: " in one.protections[0] for one in report.snapshots] == [True, True]
    assert weekly(seen, Remembered()).back.max == GIB


def test_no_byte_counts_for_two_owners_or_two_datastores() -> None:
    first = on("s1", "a", size=3 * GIB)
    second = on("s2", "b", size=5 * GIB)
    seen = inventory(first, second, datastores=(datastore("s1"), datastore("s2")))  # type: ignore[arg-type]
    report = weekly(judged(seen), Remembered())
    assert {one.id: one.back.min for one in report.stores} == {"s1": 3 * GIB, "s2": 5 * GIB}
    assert sum(part.back.min for part in report.owners) == report.back.min == 8 * GIB


def test_over_two_datastores_nobody_can_divide_what_comes_back() -> None:
    shot = snapshot("s", age="9d", reclaimable_bytes=gain(4 * GIB, 4 * GIB))
    disks = tuple(
        disk(
            layer(f"/{store}/a", datastore_id=store),
            layer(f"/{store}/b", datastore_id=store, role=LayerRole.DELTA, snapshot_id="s"),
            label=store,
        )
        for store in ("s1", "s2")
    )
    seen = inventory(vm("a", shot, disks=disks), datastores=(datastore("s1"), datastore("s2")))
    backs = [one.back for one in weekly(judged(seen), Remembered()).stores]
    assert [(one.min, one.max) for one in backs] == [(0, 4 * GIB), (0, 4 * GIB)]


def test_owners_are_one_whatever_their_case_and_nobody_comes_last() -> None:
    machines = (
        vm("a", snapshot(size_bytes=GIB), notes="Owner: Web"),
        vm("b", snapshot(size_bytes=GIB), tags=("owner:web",)),
        vm("c", snapshot(size_bytes=9 * GIB)),
        vm("d", snapshot(size_bytes=None), attributes=(Attribute(name="Owner", value="DBA"),)),
    )
    parts = weekly(judged(inventory(*machines)), Remembered()).owners
    assert [(part.owner, part.snapshots) for part in parts] == [("Web", 2), ("DBA", 1), (None, 1)]
    assert parts[1].unknown_sizes == 1


def forecast(early: float, likely: float | None, late: float | None) -> Forecast:
    days = DaysToFull(early=early, likely=likely, late=late)
    return Forecast(
        endpoint="e", id="s", name="s", trend=Trend.GROWING, days_to_full=days, samples=9
    )


def test_what_deleting_buys_counts_on_the_least_that_comes_back() -> None:
    found = bought(forecast(10, 20, 40), 100 * GIB, gain(50 * GIB, 100 * GIB))
    assert found == DaysToFull(early=15, likely=30, late=80)


@pytest.mark.parametrize(
    ("free", "back"), [(None, gain(GIB, GIB)), (0, gain(GIB, GIB)), (GIB, gain(0, GIB))]
)
def test_nothing_is_bought_where_nothing_is_sure(free: int | None, back: object) -> None:
    assert bought(forecast(10, 20, None), free, back) is None  # type: ignore[arg-type]
    assert bought(None, GIB, gain(GIB, GIB)) is None


def exemption(**changes: object) -> Exemption:
    fields: dict[str, object] = {
        "id": "EX-1",
        "rules": ("stale-snapshot",),
        "selector": Selector(vm="a"),
        "owner": "dba",
        "reason": "asked for",
        "ticket": None,
        "created_at": NOW - 9 * DAY,
        "expires": "x",
        "expires_at": NOW + 60 * DAY,
        "place": POLICY.rules[0].source,
    }
    return Exemption(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "standing"),
    [
        ({}, Standing.ACTIVE),
        ({"expires_at": NOW + 3 * DAY}, Standing.ENDING),
        ({"expires_at": NOW - DAY}, Standing.EXPIRED),
        ({"selector": Selector(vm="other")}, Standing.UNUSED),
    ],
)
def test_an_exemption_says_how_it_stands(
    tmp_path: Path, changes: dict[str, object], standing: Standing
) -> None:
    from dataclasses import replace

    policy = replace(POLICY, exemptions=(exemption(**changes),))
    found = judged(inventory(vm("a", snapshot(age="9d"))), policy=policy)
    report = report_of(found, NOW, defaults(tmp_path), {})
    assert [one.standing for one in report.allowances] == [standing]


def recorded(settings: Settings, days_ago: int) -> Audit:
    at = NOW - days_ago * DAY
    seen = inventory(vm("a", snapshot(age=f"{20 - days_ago}d")), collected_at=at)
    found = audit((seen,), POLICY, at)
    record(found, NOTHING_REMEMBERED, POLICY, settings, {}, at, NOW)
    return found


def test_the_last_recorded_run_is_reported_with_what_came_before(tmp_path: Path) -> None:
    settings = defaults(tmp_path)
    recorded(settings, 7)
    last = recorded(settings, 0)
    report = report_of_last_run(settings, {})
    assert report.reported_at == last.audited_at
    assert report.previous_at == NOW - 7 * DAY
    assert report.changes is not None
    assert report.method.runs == 2
    assert report.remarks == ()


def test_an_older_run_that_is_added_later_is_not_what_is_reported(tmp_path: Path) -> None:
    settings = defaults(tmp_path)
    recorded(settings, 0)
    recorded(settings, 7)
    assert report_of_last_run(settings, {}).reported_at == NOW


def test_without_a_run_the_way_to_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`snapaudit audit` records one"):
        report_of_last_run(defaults(tmp_path), {})


def test_a_first_run_says_that_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    settings = defaults(tmp_path)
    recorded(settings, 0)
    report = report_of_last_run(settings, {})
    assert report.changes is None
    assert "nothing can be compared" in report.remarks[0]


def test_a_history_that_cannot_be_read_is_told_and_costs_only_what_rests_on_it(
    tmp_path: Path,
) -> None:
    settings = defaults(tmp_path)
    recorded(settings, 0)
    for path in settings.state.glob("history.db*"):
        path.write_bytes(b"no database at all" * 99)
    report = report_of_last_run(settings, {})
    assert report.snapshots
    assert "Earlier runs cannot be read" in report.remarks[0]


def test_a_damaged_journal_is_told(tmp_path: Path) -> None:
    settings = defaults(tmp_path)
    recorded(settings, 0)
    State(settings.state).journal.write_text("{}\n{}\n")
    assert "the journal cannot be read" in report_of_last_run(settings, {}).remarks[-1]


def test_the_kept_audit_comes_back_as_it_was(tmp_path: Path) -> None:
    state, found = State(tmp_path / "state"), judged(inventory(vm("a", snapshot(age="9d"))))
    keep(found, NOW, state)
    back = kept(state)
    assert back is not None
    assert (back.audit, back.recorded_at) == (found, NOW)
    assert state.last_audit.stat().st_mode & 0o077 == 0


def test_a_kept_audit_that_is_cut_damaged_or_foreign_is_refused(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    keep(judged(inventory()), NOW, state)
    whole = state.last_audit.read_bytes()
    for body, said in ((whole[:-9], "is cut"), (b"x" * 40, "is damaged")):
        state.last_audit.write_bytes(body)
        with pytest.raises(InputError, match=said):
            kept(state)
    state.last_audit.chmod(0o666)
    with pytest.raises(RefusedError, match="others may write"):
        kept(state)
