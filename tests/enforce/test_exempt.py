"""What an exemption keeps is not deleted, whenever the exemption comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapaudit.app.audit import with_exemptions
from snapaudit.app.exempting import Exempting
from snapaudit.app.planning import Wanted, make_plan
from snapaudit.config.settings import ExemptionSettings, Settings
from snapaudit.errors import InputError
from snapaudit.model.inventory import Inventory
from snapaudit.model.journal import Event
from snapaudit.model.outcome import Outcome, RunReport
from snapaudit.model.plan import Guard, Plan
from snapaudit.model.policy import Environment, Policy
from snapaudit.rules.engine import audit
from tests.builders import NOW
from tests.enforce.fake.clock import Clock
from tests.enforce.fake.things import Way
from tests.enforce.folders import quick_folder
from tests.enforce.planning import line, pack, planned, view
from tests.exempting import exemption
from tests.faults.site import Site

ENTRY = """\
version: 1
exemptions:
  - id: EX-1
    rules: [stale-snapshot]
    selector: {vm: %s}
    owner: ada
    reason: still needed
    created: %s
    expires: %s
"""


@pytest.fixture
def site() -> Iterator[Site]:
    """Two machines: web01 is done in one call, and app01 waits for it on the same datastore."""
    with quick_folder() as folder:
        site = Site(folder)
        site.more(1)
        yield site
        assert site.world.ledger.violations == []


def accept(site: Site, vm: str, *, days: int = 30) -> None:
    now = site.world.clock.now()
    dates = (f"{now - timedelta(days=1):%Y-%m-%d}", f"{now + timedelta(days=days):%Y-%m-%d}")
    site.office.exemptions.write_text(ENTRY % (vm, *dates), encoding="utf-8")


def judge_anew(site: Site) -> None:
    """As every command does when it begins."""
    site.office.rules = with_exemptions(site.office.rules, site.office.settings)


def of(report: RunReport, name: str) -> Outcome:
    (found,) = [one for one in report.outcomes if one.action.vm_name == name]
    return found


def test_exempt_snapshot_never_enters_a_plan_and_says_why(site: Site) -> None:
    accept(site, "web01")
    judge_anew(site)
    made = site.office.read(site.office.plan())
    assert [one.vm_name for one in made.actions] == ["app01"]
    (kept,) = [one for one in made.kept if one.vm_name == "web01"]
    assert kept.reason.startswith("exempt: EX-1 of ada until ")
    assert kept.reason.endswith(": still needed")


def test_grd_26_exemption_between_plan_and_apply_refuses_its_action_and_no_other(
    site: Site,
) -> None:
    plan = site.office.plan()
    accept(site, "web01")
    judge_anew(site)
    report = site.office.apply(plan)
    refused = of(report, "web01")
    assert (refused.event, refused.guard) == (Event.REFUSED, Guard.HELD)
    assert refused.reason.startswith("exempt: EX-1 of ada")
    assert of(report, "app01").event is Event.DONE
    assert site.vm.snaps


def test_grd_26_exemption_that_comes_while_a_run_is_under_way_counts_at_the_last_look(
    site: Site,
) -> None:
    plan = site.office.plan()
    first, second = (one.vm_name for one in site.office.read(plan).actions)
    site.in_a_while(1, lambda: accept(site, second))
    report = site.office.apply(plan)
    assert of(report, first).event is Event.DONE
    assert (of(report, second).event, of(report, second).guard) == (Event.REFUSED, Guard.HELD)


def test_grd_26_file_that_breaks_while_a_run_is_under_way_keeps_everything_left(site: Site) -> None:
    plan = site.office.plan()
    first, second = (one.vm_name for one in site.office.read(plan).actions)
    site.in_a_while(1, lambda: site.office.exemptions.write_text("version: 1\nexem", "utf-8"))
    report = site.office.apply(plan)
    assert of(report, first).event is Event.DONE
    refused = of(report, second)
    assert (refused.event, refused.guard) == (Event.REFUSED, Guard.HELD)
    assert refused.reason.startswith("nobody can tell what is exempt: ")


def test_exemption_that_ends_while_a_run_is_under_way_opens_no_way(site: Site) -> None:
    plan = site.office.plan()
    second = site.office.read(plan).actions[1].vm_name
    accept(site, second)
    judge_anew(site)
    site.in_a_while(1, lambda: site.office.exemptions.unlink())
    refused = of(site.office.apply(plan), second)
    assert refused.event is Event.REFUSED


def test_ended_exemption_keeps_nothing(site: Site) -> None:
    accept(site, "web01", days=-3)
    with pytest.raises(InputError, match="ends before it was created"):
        judge_anew(site)
    accept(site, "web01", days=3)
    judge_anew(site)
    assert len(site.office.read(site.office.plan()).actions) == 1
    site.world.clock.skip(timedelta(days=6))
    assert len(site.office.read(site.office.plan()).actions) == 2


def test_grd_26_exemption_stops_a_deletion_that_is_half_done() -> None:
    with quick_folder() as folder:
        site = Site(folder, disks=2, ways=(Way.STEPS,))
        plan = site.office.plan()
        site.in_a_while(1, lambda: accept(site, "web01"))
        outcome = of(site.office.apply(plan), "web01")
        assert outcome.event is not Event.DONE
        assert "exempt: EX-1 of ada" in outcome.reason
        assert len(site.calls) == 1


def test_snapshot_that_its_own_text_keeps_is_not_planned_and_the_plan_says_so() -> None:
    shots = line("web01", "9d")
    keep = replace(shots.snapshots[0], description="keep until 2026-06-20")
    seen = view(replace(shots, snapshots=(keep,)))
    assert planned(seen, policy=pack()).actions
    made = planned(seen, policy=replace(pack(), honour_expiry=timedelta(days=30)))
    assert (made.actions, made.refusals) == ((), ())
    assert made.kept[0].reason == "exempt: its own text keeps it until 2026-06-20"


@pytest.mark.parametrize(
    "selector", [{"tags": ("keep",)}, {"environment": "vital"}, {"vm": "web01", "tags": ("keep",)}]
)
def test_grd_26_exemption_by_tag_keeps_what_has_tags_that_nobody_could_read(
    selector: dict[str, Any], tmp_path: Path
) -> None:
    places = (Environment(name="vital", tags=frozenset({"keep"})),)
    rules = replace(pack(), exemptions=(exemption(**selector),), environments=places)
    unread = replace(view(line("web01", "9d")), blind_spots=("tags of machines: not offered",))
    read = replace(unread, blind_spots=())
    assert [len(made(one, rules, tmp_path).actions) for one in (read, unread)] == [1, 0]
    (kept,) = made(unread, rules, tmp_path).kept
    assert kept.reason.startswith("exempt: EX-1 of dba until ")
    assert kept.reason.endswith("; the machine's tags are not known")
    found = audit([unread], rules, NOW)
    assert all(one.exemption is None for one in found.findings), "nothing is told to be accepted"
    assert "exemption-unused" not in {one.rule for one in found.findings}


@pytest.mark.parametrize("selector", [{"vm": "web02", "tags": ("keep",)}, {"environment": "far"}])
def test_exemption_that_no_tag_could_make_fit_keeps_nothing(
    selector: dict[str, Any], tmp_path: Path
) -> None:
    places = (Environment(name="far", names=("far*",)),)
    rules = replace(pack(), exemptions=(exemption(**selector),), environments=places)
    unread = replace(view(line("web01", "9d")), blind_spots=("tags of machines: not offered",))
    assert len(made(unread, rules, tmp_path).actions) == 1


def test_grd_26_exemption_by_tag_counts_at_the_last_look_where_tags_are_unread(
    tmp_path: Path,
) -> None:
    file = tmp_path / "exemptions.yaml"
    text = ENTRY % ("web01", "2026-05-01", "2026-07-01")
    file.write_text(text.replace("{vm: web01}", "{tags: [keep]}"), encoding="utf-8")
    chosen = replace(
        Settings(state=tmp_path / "state", reports=tmp_path),
        exemptions=ExemptionSettings(file=file),
    )
    rules = with_exemptions(pack(), chosen)
    for blind, is_kept in ((("tags of machines: not offered",), True), ((), False)):
        found = audit([replace(view(line("web01", "9d")), blind_spots=blind)], rules, NOW)
        [place] = {
            (one.subject.endpoint, one.subject.vm_id or "", one.subject.id)
            for one in found.findings
            if one.rule == "stale-snapshot"
        }
        reason = Exempting(found, rules, chosen, Clock(NOW))(place)
        assert (reason is not None) is is_kept


def made(seen: Inventory, rules: Policy, folder: Path) -> Plan:
    chosen = Settings(state=folder / "state", reports=folder)
    return make_plan(audit([seen], rules, NOW), rules, chosen, Wanted(author="ada"), NOW)


TEXTS = st.sampled_from(["web01", "web02", "w*", "*", "s1", "s2", "?1", "id-web02", "none"])
SELECTORS = st.fixed_dictionaries({}, optional={"vm": TEXTS, "snapshot": TEXTS}).filter(bool)
RULES = st.sampled_from(["stale-snapshot", "ancient-snapshot", "anonymous-snapshot"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(RULES, SELECTORS), max_size=3))
def test_grd_26_nothing_that_an_exemption_accepts_is_ever_planned(
    wanted: list[tuple[str, dict[str, str]]],
) -> None:
    some = tuple(
        exemption(f"EX-{number}", rules=[rule], **selector)
        for number, (rule, selector) in enumerate(wanted)
    )
    policy = replace(pack(), exemptions=some)
    seen = view(line("web01", "40d", "9d"), line("web02", "200d", "1h"))
    found = audit([seen], policy, NOW)
    exempt = {
        (one.subject.vm_id, one.subject.id) for one in found.findings if one.exemption is not None
    }
    made = planned(seen, policy=policy)
    bare = planned(seen, policy=pack())
    left = {(one.vm_id, one.snapshot_id) for one in made.actions}
    assert left == {(one.vm_id, one.snapshot_id) for one in bare.actions} - exempt
