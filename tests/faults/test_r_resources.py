"""Faults R: room that is missing, or that goes while a run is at work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from snapaudit.model.journal import Event
from snapaudit.model.plan import Guard
from tests.enforce.fake.builders import machine, manager
from tests.enforce.fake.things import Store, Way
from tests.faults.site import Site, site


def _fill(one: Site, store: str = "pool-1") -> None:
    one.host.stores[store].others += one.host.free(store)


def test_r1_datastore_that_filled_up_since_the_plan_is_not_merged_on() -> None:
    with site() as one:
        plan = one.office.plan()
        _fill(one)
        one.refuses(plan, Guard.ROOM_TO_MERGE, "datastore pool-1")


def test_r1_snapshot_inside_an_image_needs_no_room_to_go() -> None:
    with site(kind="internal") as one:
        plan = one.office.plan()
        [action] = one.office.read(plan).actions
        assert (action.needs_bytes, action.merges_bytes) == (0, 0)
        _fill(one)
        assert one.ends(plan) == [Event.DONE]


def test_r2_merges_on_one_datastore_never_run_beside_each_other() -> None:
    with site() as one:
        one.more(1, store="pool-2", host="host-2")
        machine(one.world, one.host, "db01")
        plan = one.office.plan()
        assert one.ends(plan) == [Event.DONE] * 3
        begun = {s.vm_id: s.at for s in one.world.ledger.sent}
        ended = {task.machine.id: task.ended_at for task in one.world.tasks}
        first, second = sorted(("id-web01", "id-db01"), key=lambda vm: begun[vm])
        assert begun[second] >= (ended[first] or begun[second])
        assert begun["id-app01"] < (ended[first] or begun[first])


def test_r4_r5_space_that_goes_during_the_run_stops_everything_that_has_not_begun() -> None:
    with site(snaps=("first", "second")) as one:
        plan = one.office.plan()
        one.in_a_while(25, lambda: _fill(one))
        report = one.office.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.DONE]
        assert report.stopped_because is not None
        assert "less free than its reserve" in report.stopped_because
        assert [action.snapshot_name for action in report.not_started] == ["first"]


def test_r4_steps_that_have_begun_are_left_for_the_next_run_when_space_goes() -> None:
    with site(ways=(Way.STEPS,), disks=2) as one:
        plan = one.office.plan()
        one.in_a_while(15, lambda: _fill(one))
        report = one.office.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.UNKNOWN]
        assert "goes on" in report.outcomes[0].reason
        assert one.calls == ["commit:vda"]
        one.host.stores["pool-1"].others = 0
        assert one.ends(plan) == [Event.DONE]
        assert one.calls == ["commit:vda", "commit:vdb", "forget"]


def test_r2_share_is_one_of_all_snapshots_also_where_one_endpoint_of_many_is_acted_on() -> None:
    with site() as one:
        one.office.limits = replace(one.office.limits, max_share=0.05)
        one.host.stores |= {name: Store(name) for name in ("pool-3", "pool-4")}
        for number in (2, 3, 4):
            machine(one.world, one.host, f"app{number}", store=f"pool-{number}")
        other = manager(one.world, "kvm2")
        for number in range(100):
            machine(one.world, other, f"young{number}", age=timedelta(hours=1))
        plan = one.office.plan()
        assert one.office.read(plan).excess == ()
        assert one.ends(plan) == [Event.DONE] * 4
