from __future__ import annotations

from snapaudit.app.weekly.narrowing import narrowed
from snapaudit.model.check import Status
from snapaudit.model.finding import Subject
from snapaudit.model.history import Change, Diff
from snapaudit.model.policy import SubjectKind
from tests.app.weekly.reports import missing, owned, report
from tests.builders import NOW, ago, inventory, snapshot, vm
from tests.report.records import on_snapshot


def test_an_owner_gets_his_machines_and_no_others() -> None:
    whole = report(owned("a", "Alice"), owned("b", "Bob"))
    part = narrowed(whole, ["ALICE"])
    assert [one.home.vm_name for one in part.snapshots] == ["vm-a"]
    assert {one.subject.vm_name for one in part.check.findings} == {"vm-a"}
    assert [one.endpoint for one in part.check.coverage] == ["kvm-a"]
    assert "Bob" not in str(part)
    assert "vm-b" not in str(part)


def test_a_part_counts_what_is_in_it() -> None:
    whole = report(owned("a", "Alice"), owned("b", "Bob"))
    part = narrowed(whole, ["Alice"])
    assert part.check.counts != whole.check.counts
    assert [one.value for one in part.numbers][2] == 1
    assert part.back.min * 2 == whole.back.min


def test_a_snapshot_of_somebody_else_on_the_same_machine_is_not_his() -> None:
    shared = vm(
        "db01",
        snapshot("mine", age="30d", creator="alice"),
        snapshot("theirs", age="30d", creator="bob"),
    )
    part = narrowed(report(inventory(shared)), ["alice"])
    assert [one.snapshot.name for one in part.snapshots] == ["mine"]
    assert "theirs" not in str(part)


def test_what_was_not_seen_could_hold_more_of_his_and_is_never_clean() -> None:
    machine = vm("web01", snapshot(age="1h", description="CHG-1"), notes="Owner: Alice")
    part = narrowed(report(inventory(machine), missing("kvm2")), ["Alice"])
    assert part.check.status is Status.UNKNOWN
    assert [one.endpoint for one in part.check.coverage] == ["kvm1", "kvm2"]


def test_changes_are_his_by_identity_and_what_is_gone_by_its_machine() -> None:
    def change(subject: Subject) -> Change:
        return Change(subject=subject, rules=(), size_bytes=1, previous_size_bytes=None)

    own = on_snapshot("vm-a", "old-a", "kvm-a")
    gone = on_snapshot("vm-a", "deleted", "kvm-a")
    other = on_snapshot("vm-b", "old-b", "kvm-b")
    store = Subject(kind=SubjectKind.DATASTORE, endpoint="kvm-a", id="pool-1", name="pool-1")
    diff = Diff(
        since=ago("7d"),
        until=NOW,
        new=(change(own), change(other), change(store)),
        resolved=(change(gone), change(other)),
        grown=(),
        back=(),
        worse=(change(other), change(own)),
    )
    changes = narrowed(report(owned("a", "Alice"), owned("b", "Bob"), diff=diff), ["Alice"]).changes
    assert changes is not None
    assert [one.subject for one in changes.new] == [own]
    assert [one.subject for one in changes.resolved] == [gone]
    assert [one.subject for one in changes.worse] == [own]


def test_datastores_belong_to_the_team() -> None:
    assert narrowed(report(owned("a", "Alice")), ["Alice"]).stores == ()
