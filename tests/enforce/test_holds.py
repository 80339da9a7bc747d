"""Holds: whatever might be meant protects, and nobody's hold is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from snapaudit.enforce.holding import Wish, add, remove
from snapaudit.enforce.holds import Holds, read_holds
from snapaudit.enforce.state import State
from snapaudit.errors import RefusedError, UsageError
from tests.builders import NOW, snapshot, vm

SHOT = snapshot("before-upgrade")
WEB = vm("web01", SHOT, snapshot("other"))


def wish(**changes: Any) -> Wish:
    fields: dict[str, Any] = {
        "endpoint": None,
        "vm": "web01",
        "snapshot": None,
        "owner": "ada",
        "reason": "legal case",
        "expires_at": None,
    }
    return Wish(**{**fields, **changes})


def write(state: State, *entries: object, **top: object) -> Holds:
    document = {"schema": "snapaudit/holds@1", "holds": entries, **top}
    state.holds.write_text(json.dumps(document))
    return read_holds(state)


def holds_shot(holds: Holds, now: datetime = NOW) -> bool:
    return holds.why_held("kvm1", WEB, SHOT, now) is not None


# what a hold covers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "is_held"),
    [
        ({"vm": "web01"}, True),
        ({"vm": "id-web01"}, True),
        ({"vm": "db01"}, False),
        ({"vm": "web01", "snapshot": "before-upgrade"}, True),
        ({"vm": "web01", "snapshot": "other"}, False),
        ({"endpoint": "kvm1"}, True),
        ({"endpoint": "kvm2"}, False),
        ({"endpoint": "kvm2", "vm": "web01"}, False),
        ({"snapshot": "before-upgrade"}, True),
        ({"snapshot": "after-upgrade"}, False),
        ({"vm": "  WEB01 "}, True),
        ({"vm": "web\uff10\uff11"}, True),
        ({"vm": "web\u200b01"}, True),
        ({"vm": "web*"}, True),
        ({"vm": "db*"}, False),
        ({"vm": "web0"}, False),
        ({}, True),
    ],
)
def test_grd_26_hold_covers_what_its_selectors_could_mean(
    state: State, selector: dict[str, str], is_held: bool
) -> None:
    assert holds_shot(write(state, {"id": "h1", **selector})) is is_held


def test_hold_says_who_why_and_until_when(state: State) -> None:
    hold = add(state, wish(expires_at=NOW + timedelta(days=1)), NOW)
    why = read_holds(state).why_held("kvm1", WEB, SHOT, NOW)
    assert why == f"hold {hold.id} of ada until 2026-06-02 12:00 UTC: legal case"


def test_hold_ends_when_it_says(state: State) -> None:
    holds = write(state, {"vm": "web01", "expires_at": "2026-06-01T12:00:00Z"})
    assert holds_shot(holds, NOW - timedelta(seconds=1))
    assert not holds_shot(holds, NOW)


def test_hold_until_a_day_counts_to_its_end_everywhere_on_earth(state: State) -> None:
    holds = write(state, {"vm": "web01", "expires_at": "2026-06-01"})
    assert holds_shot(holds, datetime(2026, 6, 2, 11, 59, tzinfo=UTC))
    assert not holds_shot(holds, datetime(2026, 6, 2, 12, 0, tzinfo=UTC))


def test_consolidation_is_held_with_the_machine_and_with_any_of_its_snapshots(
    state: State,
) -> None:
    def is_held(**selector: str) -> bool:
        return write(state, selector).why_held("kvm1", WEB, None, NOW) is not None

    assert is_held(vm="web01")
    assert is_held(vm="web01", snapshot="gone-by-now")
    assert is_held(snapshot="other")
    assert not is_held(snapshot="of-another-machine")
    assert not is_held(vm="db01", snapshot="other")


# what cannot be read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'{"schema": "snapaudit/holds@2", "holds": []}',
        b'{"schema": "snapaudit/holds@1"}',
        b'{"schema": "snapaudit/holds@1", "holds": {}}',
        b'{"schema": "snapaudit/holds@1", "holds": [], "holds": []}',
        b'{"schema": "snapaudit/holds@1", "holds": [{"vm": "web01", "vm": "db01"}]}',
        b'{"schema": "snapaudit/holds@1", "holds": [NaN]}',
        b'{"holds": ' + b"[" * 100_000,
    ],
)
def test_grd_26_unreadable_file_holds_everything_and_is_never_overwritten(
    state: State, body: bytes
) -> None:
    state.holds.write_bytes(body)
    why = read_holds(state).why_held("kvm9", vm("any"), snapshot("any"), NOW)
    assert why is not None
    assert "nobody can tell what is held" in why
    assert str(state.holds) in why
    with pytest.raises(RefusedError, match="would lose what is held"):
        add(state, wish(), NOW)
    with pytest.raises(RefusedError, match="would lose what is held"):
        remove(state, "h1")
    assert state.holds.read_bytes() == body


def test_s6_file_others_may_write_or_behind_a_link_holds_everything(state: State) -> None:
    assert write(state) == Holds()
    state.holds.chmod(0o666)
    assert "others may write" in str(read_holds(state).unreadable)
    state.holds.rename(state.folder / "real.json")
    state.holds.symlink_to(state.folder / "real.json")
    assert read_holds(state).unreadable
    state.holds.unlink()
    state.holds.mkdir()
    assert read_holds(state).unreadable


def test_file_that_does_not_exist_holds_nothing(state: State) -> None:
    assert read_holds(state) == Holds()
    assert not holds_shot(read_holds(state))


@pytest.mark.parametrize(
    "entry",
    [
        None,
        "web01",
        5,
        [],
        {},
        {"vm": None},
        {"vm": 5},
        {"vm": ""},
        {"vm": "\u200b"},
        {"vm": ["db01"]},
        {"vmm": "db01"},
        {"endpoint": False, "vm": "web01"},
        {"vm": "web01", "snapshot": {}},
        {"vm": "web01", "expires_at": "soon"},
        {"vm": "web01", "expires_at": 0},
        {"vm": "web01", "expires_at": "2020-13-01"},
        {"vm": "web01", "expires_at": "2020-01-01T12:00:00"},
        {"vm": "web01", "created_at": "yesterday", "owner": 1, "reason": None},
    ],
)
def test_grd_26_malformed_hold_protects(state: State, entry: object) -> None:
    assert holds_shot(write(state, entry))


# marks on the platform ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "snapaudit:hold",
        "please SnapAudit:Hold, thanks",
        "\uff53napaudit\uff1ahold",
        "snapaudit: hold",
        "snapaudit_hold",
        "a\nsnapaudit:hold\nb",
        "snap\u200baudit:hold",
        "snapaudit:hold until=2026-12-31",
        "snapaudit:hold until=2026-06-01",
        "snapaudit:hold until=yesterday",
        "snapaudit:hold until=",
        "snapaudit:hold until=2020-13-45",
        "snapaudit:hold until=2020-01-01 snapaudit:hold",
    ],
)
def test_grd_26_mark_in_any_text_of_the_platform_holds(text: str) -> None:
    marked = replace(SHOT, description=text)
    places = (
        (WEB, marked),
        (WEB, replace(SHOT, name=text)),
        (replace(WEB, notes=text), SHOT),
        (replace(WEB, tags=("x", text)), SHOT),
        (vm("web01", marked), None),
        (replace(WEB, notes=text), None),
    )
    for machine, shot in places:
        why = Holds().why_held("kvm1", machine, shot, NOW)
        assert why is not None
        assert "snapaudit:hold" in why


@pytest.mark.parametrize(
    "text", ["", "hold", "snapaudit", "snapaudit:hold until=2026-05-30", "snapaudit on hold"]
)
def test_text_without_a_mark_or_with_one_that_ended_holds_nothing(text: str) -> None:
    machine = replace(WEB, notes=text, tags=(text,))
    assert Holds().why_held("kvm1", machine, replace(SHOT, description=text), NOW) is None


def test_mark_of_a_sibling_does_not_hold_the_snapshot() -> None:
    machine = vm("web01", SHOT, snapshot("other", description="snapaudit:hold"))
    assert Holds().why_held("kvm1", machine, SHOT, NOW) is None


# adding and removing ------------------------------------------------------------------------------


def test_hold_is_added_listed_and_removed(state: State) -> None:
    hold = add(state, wish(endpoint="kvm1", snapshot="before-upgrade"), NOW)
    assert read_holds(state).entries == (hold,)
    assert (hold.owner, hold.reason, hold.created_at) == ("ada", "legal case", NOW)
    assert remove(state, hold.id) == hold
    assert read_holds(state).entries == ()


def test_changes_keep_entries_and_fields_they_do_not_understand(state: State) -> None:
    write(state, "scribble", {"vm": "db01", "ticket": 7.5}, comment=True)
    hold = add(state, wish(), NOW)
    assert remove(state, hold.id).vm == "web01"
    document = json.loads(state.holds.read_text())
    assert document["holds"] == ["scribble", {"vm": "db01", "ticket": 7.5}]
    assert document["comment"] is True


def test_entry_without_an_id_is_removed_by_its_number(state: State) -> None:
    write(state, {"vm": "a"}, {"vm": "b"})
    assert remove(state, "entry-2").vm == "b"
    assert [hold.vm for hold in read_holds(state).entries] == ["a"]


def test_removal_names_what_it_cannot_find_or_tell_apart(state: State) -> None:
    write(state, {"id": "h1", "vm": "a"}, {"id": "h1", "vm": "b"})
    with pytest.raises(UsageError, match="no hold 'h2'"):
        remove(state, "h2")
    with pytest.raises(RefusedError, match="several holds"):
        remove(state, "h1")
    assert len(read_holds(state).entries) == 2


@pytest.mark.parametrize("changes", [{"owner": " "}, {"reason": ""}, {"expires_at": NOW}])
def test_hold_needs_owner_reason_and_an_end_to_come(state: State, changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        add(state, wish(**changes), NOW)
    assert not state.holds.exists()


ADDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from snapaudit.enforce.holding import Wish, add
from snapaudit.enforce.state import State

for number in range(20):
    wish = Wish(endpoint=None, vm=f"{sys.argv[2]}-{number}", snapshot=None, owner="o", reason="r",
                expires_at=None)
    add(State(Path(sys.argv[1])), wish, datetime.now(UTC))
"""


def test_i9_holds_added_by_two_processes_at_once_are_all_kept(state: State) -> None:
    command = [sys.executable, "-c", ADDER, str(state.folder)]
    processes = [subprocess.Popen([*command, name]) for name in ("a", "b")]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert len(read_holds(state).entries) == 40
