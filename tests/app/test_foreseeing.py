from __future__ import annotations

from snapaudit.app.foreseeing import foresee
from snapaudit.model.explanation import Verdict
from snapaudit.model.finding import Subject
from snapaudit.model.limits import Limits
from snapaudit.model.plan import Guard
from snapaudit.model.policy import SubjectKind
from tests.enforce.planning import line, planned, view


def subject(snapshot: str, vm: str = "web01") -> Subject:
    return Subject(
        kind=SubjectKind.SNAPSHOT,
        endpoint="kvm1",
        id=snapshot,
        name=snapshot,
        vm_id=f"id-{vm}",
        vm_name=vm,
    )


def test_planned_snapshot_comes_with_its_reasons_and_the_limits_the_plan_is_over() -> None:
    found = foresee(
        planned(view(line("web01", "20d", "9d")), limits=Limits(max_actions=1)), subject("s1")
    )
    assert found is not None
    assert (found.verdict, found.guard) == (Verdict.PLANNED, None)
    assert found.reasons == ("stale-snapshot (critical): age 20d, over 7d",)
    assert found.over_limit == ("2 actions in one run; allowed are 1",)


def test_refused_snapshot_names_the_guard() -> None:
    found = foresee(planned(view(line("web01", "9d", busy=True))), subject("s1"))
    assert found is not None
    assert (found.verdict, found.guard) == (Verdict.REFUSED, Guard.NOT_BUSY)


def test_kept_snapshot_says_why() -> None:
    found = foresee(planned(view(line("web01", "1h"))), subject("s1"))
    assert found is not None
    assert found.verdict is Verdict.KEPT


def test_plan_says_nothing_of_datastores_and_strangers() -> None:
    made = planned(view(line("web01", "9d")))
    store = Subject(kind=SubjectKind.DATASTORE, endpoint="kvm1", id="pool-1", name="images")
    assert foresee(made, store) is None
    assert foresee(made, subject("s9")) is None
