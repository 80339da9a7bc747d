"""What was recorded comes back: runs, coverage, levels, creators, rotation, growth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from snapaudit.errors import HistoryError
from snapaudit.history.store import Store, open_server
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.model.past import Trend
from snapaudit.model.policy import SubjectKind
from tests.beds.postgres import PostgresBed
from tests.builders import GIB, NOW, ago, datastore, disk, gain, inventory, layer, snapshot, vm
from tests.canaries import DATABASE
from tests.history.past import DAY, MISSING, WEEK, names, ran, recording
from tests.report.hostile import hostile_names


def fleet(*shots: str, free: int = 500, machine: str = "web01", **changes: Any) -> Inventory:
    snapshots = tuple(snapshot(name, age="9d") for name in shots)
    store = datastore(free_bytes=free * GIB)
    return inventory(vm(machine, *snapshots), datastores=(store,), **changes)


def test_run_comes_back_as_it_was_recorded(store: Store) -> None:
    told = recording(fleet("a", "b"), fleet("c", endpoint="kvm2", coverage=MISSING))
    number = store.record(told)
    [run] = store.runs()
    assert (run.id, run.audited_at, run.has_details) == (number, NOW, True)
    assert run.summary == told.audit.summary
    assert run.coverage == told.audit.coverage
    assert (run.tool_version, run.rules_digest) == ("1.0", "d" * 64)
    assert run.matches["stale-snapshot"] == 3
    assert run.matches["long-chain"] == 0


def test_runs_come_newest_first_whatever_the_order_they_were_recorded_in(store: Store) -> None:
    for week in (1, 3, 0, 2):
        ran(store, fleet("a"), at=NOW + week * WEEK)
    moments = [run.audited_at for run in store.runs()]
    assert moments == [NOW + week * WEEK for week in (3, 2, 1, 0)]
    assert [run.audited_at for run in store.runs(limit=1)] == [NOW + 3 * WEEK]
    assert len(store.runs(until=NOW + WEEK)) == 2


def test_run_of_the_same_moment_and_endpoints_replaces_the_earlier_one(store: Store) -> None:
    ran(store, fleet("a"))
    ran(store, fleet("a", "b"))
    ran(store, fleet("a", endpoint="kvm2"))
    assert sorted(run.summary.snapshots for run in store.runs()) == [1, 2]


def test_missing_endpoint_leaves_its_coverage_and_no_level(store: Store) -> None:
    ran(store, fleet("a", coverage=MISSING))
    [run] = store.runs()
    assert [one.state for one in run.coverage] == [CoverageState.MISSING]
    assert store.datastores() == ()


def test_levels_of_a_datastore_come_oldest_first_under_its_latest_name(store: Store) -> None:
    for week, name in enumerate(("old", "new")):
        lone = datastore(name, id="ds-1", free_bytes=(500 - week) * GIB)
        store.record(
            recording(
                inventory(datastores=(lone,)),
                at=NOW + week * WEEK,
                held={("kvm1", "ds-1"): week * GIB},
            )
        )
    [series] = store.datastores()
    assert (series.endpoint, series.id, series.name) == ("kvm1", "ds-1", "new")
    assert [one.used_bytes for one in series.levels] == [500 * GIB, 501 * GIB]
    assert [one.held_bytes for one in series.levels] == [0, GIB]
    assert len(store.datastores(since=NOW + DAY)[0].levels) == 1


def test_level_knows_what_the_offered_snapshots_on_it_would_free(store: Store) -> None:
    offered = snapshot("s", age="9d", reclaimable_bytes=gain(GIB, 2 * GIB))
    protected = replace(offered, id="p", protections=("held: x",))
    away = disk(layer("/vm/b"), layer("/vm/c", datastore_id="other"), label="vdb")
    split = vm("two", replace(offered, id="q"), disks=(disk(layer("/vm/a")), away))
    ran(store, inventory(vm("web01", offered, protected), split))
    [series] = store.datastores()
    bytes_ = series.levels[0].offered_bytes
    assert bytes_ is not None
    assert (bytes_.min, bytes_.max) == (GIB, 4 * GIB)


def test_creator_is_remembered_when_the_platform_no_longer_tells(store: Store) -> None:
    known = snapshot("s", age="9d", creator="CORP\\ada")
    forgotten = replace(known, name="renamed", creator=None)
    other = snapshot("t", creator=None)
    ran(store, inventory(vm("web01", known)))
    [back] = store.with_creators([inventory(vm("web01", forgotten, other))])
    assert [one.creator for one in back.virtual_machines[0].snapshots] == ["CORP\\ada", None]
    again = replace(known, created_at=ago("1h"), creator=None)
    [back] = store.with_creators([inventory(vm("web01", again))])
    assert back.virtual_machines[0].snapshots[0].creator is None


def test_creator_that_is_told_counts_over_the_remembered_one(store: Store) -> None:
    ran(store, inventory(vm("web01", snapshot("s", creator="ada"))))
    told = inventory(vm("web01", snapshot("s", creator="bob")))
    assert store.with_creators([told]) == (told,)


def test_machine_whose_oldest_snapshot_leaves_when_one_comes_is_rotating(store: Store) -> None:
    def view(week: int) -> Inventory:
        kept = [snapshot(f"b{n}", created_at=NOW + n * WEEK) for n in range(week - 3, week)]
        rare = [snapshot(f"r{week}", created_at=NOW + week * WEEK)] if week % 2 else []
        return inventory(vm("turns", *kept), vm("rare", *rare), vm("same", snapshot("s")))

    for week in range(1, 4):
        ran(store, view(week), at=NOW + week * WEEK)
    assert store.past([view(3)], NOW + 3 * WEEK + DAY).rotating == frozenset()
    assert store.past([view(4)], NOW + 4 * WEEK).rotating == {("kvm1", "id-turns")}
    for week in range(4, 12):
        ran(store, view(week), at=NOW + week * WEEK)
    assert store.past([view(12)], NOW + 12 * WEEK).rotating == {("kvm1", "id-turns")}


def test_growth_of_a_snapshot_includes_what_is_seen_now(store: Store) -> None:
    def view(day: int) -> Inventory:
        grown = snapshot("s", age="1d", size_bytes=day * GIB)
        return inventory(vm("web01", grown, disks=(disk(capacity_bytes=4 * GIB),)))

    ran(store, view(1), at=NOW + DAY)
    grown = store.past([view(3)], NOW + 3 * DAY).growth["kvm1", "id-web01", "s"]
    assert (grown.likely_bytes, grown.samples, grown.ceiling_bytes) == (GIB, 2, 4 * GIB)
    full = store.past([view(4)], NOW + 3 * DAY).growth["kvm1", "id-web01", "s"]
    assert full.high_bytes == 0


def test_run_of_the_very_moment_is_no_past_of_itself(store: Store) -> None:
    ran(store, fleet("a"))
    assert store.past([fleet("a")], NOW).growth == {}
    assert store.past([fleet("a")], NOW - WEEK).forecasts == {}


def test_forecast_is_made_of_runs_and_what_is_seen_now_and_is_kept(store: Store) -> None:
    for week in range(4):
        ran(store, fleet("a", free=500 - 100 * week), at=NOW + week * WEEK)
    past = store.past([fleet("a", free=100)], NOW + 4 * WEEK)
    forecast = past.forecasts["kvm1", "pool-1"]
    assert (forecast.trend, forecast.samples) == (Trend.GROWING, 5)
    assert forecast.days_to_full is not None
    assert forecast.days_to_full.early == 7.0
    [told] = store.forecasts(NOW + 3 * WEEK)
    assert (told.samples, told.hit_rate, told.judged) == (4, None, 0)
    for week in range(4, 8):
        ran(store, fleet("a", free=500 - 50 * week), at=NOW + week * WEEK)
    [told] = store.forecasts(NOW + 7 * WEEK)
    assert told.judged > 0
    assert told.hit_rate is not None
    assert told.hit_rate < 1


def test_datastore_that_was_not_seen_for_half_a_year_has_no_forecast(store: Store) -> None:
    ran(store, fleet("a"))
    assert len(store.forecasts(NOW + 181 * DAY)) == 1
    assert store.forecasts(NOW + 183 * DAY) == ()


def test_tst_12_hostile_names_are_kept_and_told_apart(store: Store) -> None:
    hostile = list(hostile_names())
    machines = [vm(name, snapshot(name, age="9d"), id=name or "none") for name in hostile]
    view = inventory(*machines, datastores=(datastore(hostile[0]),))
    ran(store, inventory())
    ran(store, view, at=NOW + DAY)
    diff = store.changes(NOW, NOW + DAY)
    shown = [one.subject for one in diff.new if one.subject.kind is SubjectKind.SNAPSHOT]
    assert len(shown) == len(hostile)
    assert {subject.name for subject in shown} == {_stored(name) for name in hostile}
    assert names(store.changes(NOW, NOW + DAY)) == names(diff)


def _stored(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def test_everything_stored_is_found_sound(store: Store) -> None:
    ran(store, fleet("a"))
    assert store.faults() == ()


def test_reader_on_a_server_cannot_write(postgres: PostgresBed) -> None:
    url = postgres.url()
    with open_server(url, DATABASE, writing=True) as writer:
        ran(writer, fleet("a"))
    with open_server(url, DATABASE, writing=False) as reader:
        assert len(reader.runs()) == 1
        with pytest.raises(HistoryError, match="read-only"):
            ran(reader, fleet("a"), at=NOW + DAY)


def test_server_that_does_not_answer_is_one_line_without_the_password() -> None:
    url = f"postgresql://me@127.0.0.1:1/snapaudit?password={quote(DATABASE)}"
    with pytest.raises(HistoryError) as caught:
        open_server(url, DATABASE, writing=True)
    assert "127.0.0.1/snapaudit" in str(caught.value)
    assert DATABASE not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_server_nobody_recorded_on_has_no_runs(postgres: PostgresBed) -> None:
    with open_server(postgres.url(), DATABASE, writing=False) as reader:
        assert reader.runs() == ()
        assert reader.forecasts(NOW) == ()
        with pytest.raises(HistoryError, match="no run is remembered"):
            reader.changes(NOW, NOW)
