"""A last day in a snapshot's own text is honoured where the site allows it, and no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from snapaudit.errors import InputError
from snapaudit.model.finding import Audit
from snapaudit.model.policy import Mode
from snapaudit.rules.rulefile import read_rule
from tests.builders import NOW, inventory, snapshot, vm
from tests.exempting import accepted, exemption, under
from tests.rules.verdicts import policy

DAY = timedelta(days=1)
KEEP = "CHG-1, keep until 2026-06-20"


def found(
    text: str = KEEP, *, now: datetime = NOW, limit: timedelta | None = 30 * DAY, skew: float = 0.0
) -> Audit:
    shot = snapshot("s", created_at=NOW - 9 * DAY, description=text, creator="ops")
    seen = inventory(vm("web01", shot), clock_skew_seconds=skew)
    return under(seen=[seen], now=now, honour_expiry=limit)


def said(audit: Audit) -> set[str]:
    return {one.exemption for one in audit.findings if one.exemption}


def test_day_in_the_text_accepts_the_findings_of_rules_that_honour_it() -> None:
    audit = found()
    assert accepted(audit) == {("stale-snapshot", "s")}
    assert said(audit) == {"its own text keeps it until 2026-06-20"}
    assert (audit.summary.exempt, audit.exemptions) == (1, ())


def test_no_day_is_honoured_where_the_site_does_not_say_so() -> None:
    assert accepted(found(limit=None)) == set()
    assert {one.rule for one in found(limit=None).findings} == {"stale-snapshot"}


def test_day_counts_to_its_end_and_then_the_expired_snapshot_is_told() -> None:
    end = datetime(2026, 6, 21, tzinfo=UTC)
    last, after = found(now=end - timedelta(seconds=1)), found(now=end + timedelta(seconds=1))
    assert accepted(last) == {("stale-snapshot", "s")}
    assert accepted(after) == set()
    assert "expired-snapshot" in {one.rule for one in after.findings}


def test_day_beyond_the_limit_is_honoured_up_to_the_limit_alone() -> None:
    far = "keep until 2029-01-01"
    end = NOW - 9 * DAY + 30 * DAY
    audit = found(far, now=end - timedelta(seconds=1))
    assert said(audit) == {
        "its own text keeps it until 2029-01-01; honoured until 2026-06-22 12:00 UTC, "
        "30 days after it was taken"
    }
    assert accepted(found(far, now=end)) == set()


@pytest.mark.parametrize("text", ["", "keep it", "done 2026-06-20", "keep until 2026-13-45"])
def test_text_without_a_day_that_can_be_read_accepts_nothing(text: str) -> None:
    assert accepted(found(text)) == set()


@pytest.mark.parametrize("created_at", [None, NOW + DAY])
def test_snapshot_whose_age_is_not_known_is_not_kept_by_its_text(
    created_at: datetime | None,
) -> None:
    shot = snapshot("s", created_at=created_at, description=KEEP, has_memory=True)
    audit = under(seen=[inventory(vm("web01", shot))], honour_expiry=30 * DAY)
    assert accepted(audit) == set()


def test_limit_is_taken_by_the_clock_that_wrote_the_creation_time() -> None:
    limit = 9 * DAY
    assert accepted(found(limit=limit, skew=-60.0)) == {("stale-snapshot", "s")}
    assert accepted(found(limit=limit, skew=60.0)) == set()


def test_exemption_is_named_before_the_text() -> None:
    shot = snapshot("s", age="9d", description=KEEP, creator="ops")
    seen = [inventory(vm("web01", shot))]
    audit = under(exemption(vm="web01"), seen=seen, honour_expiry=30 * DAY)
    (sentence,) = said(audit)
    assert sentence.startswith("EX-1 of dba")


def test_rule_about_anything_else_cannot_honour_a_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "id: mine\ntitle: t\nsubject: virtual-machine\nlevels: {warning: {snapshots: {over: 1}}}\n"
        "honours_expiry: true\nwhy: w\nfix: f\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError, match=r"yaml:5:1: honours_expiry is for rules about"):
        read_rule(path)


def test_pack_honours_a_day_nowhere_where_the_day_itself_is_judged() -> None:
    honouring = {rule.id for rule in policy().rules if rule.honours_expiry}
    assert "expired-snapshot" not in honouring
    assert {rule.id for rule in policy().rules if rule.mode is Mode.APPLY} - honouring == {
        "consolidation-needed",
        "expired-snapshot",
    }
