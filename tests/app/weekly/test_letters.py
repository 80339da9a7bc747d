from __future__ import annotations

from typing import Any

import pytest

from snapaudit.app.weekly import letters
from snapaudit.app.weekly.letters import Mailing, mailing
from snapaudit.config.settings import WhenClean
from snapaudit.errors import UsageError
from snapaudit.model.weekly import WeeklyReport
from tests.app.weekly.reports import clean, missing, owned, report
from tests.builders import inventory
from tests.mail.letters import TEAM, settings

OWNERS = {"alice": "alice@example.org", "al": "alice@example.org"}


def mailed(about: WeeklyReport, **changes: Any) -> Mailing:
    asked = {key: changes.pop(key) for key in ("to", "owner") if key in changes}
    return mailing(about, settings(25, **changes), **asked)


def recipients(found: Mailing) -> list[tuple[str, ...]]:
    return [one.to for one in found.letters]


def test_the_team_gets_everything_with_the_whole_page() -> None:
    found = mailed(report(owned("a", "Alice"), owned("b", "Bob")))
    assert recipients(found) == [TEAM]
    [letter] = found.letters
    assert letter.part == ""
    assert [one.name for one in letter.attachments] == ["snapaudit-2026-06-01.html"]
    assert "vm-a" in letter.text
    assert "vm-b" in letter.text


def test_each_owner_gets_his_part_and_nobody_elses() -> None:
    about = report(owned("a", "Alice"), owned("b", "Bob"))
    owners = {"alice": "alice@example.org", "bob": "bob@example.org"}
    found = mailed(about, per_owner=True, owners=owners)
    by_address = {one.to[0]: one for one in found.letters}
    for name, own, other in (("alice", "vm-a", "vm-b"), ("bob", "vm-b", "vm-a")):
        letter = by_address[f"{name}@example.org"]
        [rows] = letter.attachments
        everything = letter.text + letter.page + letter.subject + rows.body.decode()
        assert own in everything
        assert other not in everything


def test_two_names_with_one_address_make_one_letter() -> None:
    about = report(owned("a", "Alice"), owned("b", "AL"))
    found = mailed(about, per_owner=True, owners=OWNERS)
    [_, letter] = found.letters
    assert "vm-a" in letter.text
    assert "vm-b" in letter.text


def test_an_owner_without_an_address_is_told_and_nobody_guesses_one() -> None:
    found = mailed(report(owned("a", "Carol")), per_owner=True)
    assert recipients(found) == [TEAM]
    assert found.remarks == (
        "owner Carol: no address is known, name it under mail: owners; snapshots: 1",
    )


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ("carol@example.org", "carol@example.org"),
        ("carol@EXAMPLE.org", "carol@EXAMPLE.org"),
        ("carol@evil.example", None),
        ("carol@example.org.evil.example", None),
        ("carol@example.org, x@evil.example", None),
        ("x@evil.example carol@example.org", None),
        ("Carol <carol@example.org>", None),
    ],
)
def test_an_address_in_a_note_is_mailed_in_domains_of_the_site_alone(
    owner: str, expected: str | None
) -> None:
    about = report(owned("a", owner))
    found = mailed(about, per_owner=True, owner_domains=("example.org",))
    assert recipients(found)[1:] == ([(expected,)] if expected else [])


def test_silence_is_kept_only_where_it_was_asked_for() -> None:
    assert recipients(mailed(clean())) == [TEAM]
    silent = mailed(clean(), when_clean=WhenClean.SILENT)
    assert silent.letters == ()
    assert "when_clean: silent" in silent.remarks[0]


@pytest.mark.parametrize(
    "seen", [(owned("a", "Alice"),), (inventory(), missing("kvm2")), (inventory(),)]
)
def test_no_silence_about_a_finding_or_what_was_not_seen(seen: Any) -> None:
    found = mailed(report(*seen), when_clean=WhenClean.SILENT)
    assert recipients(found) == [TEAM]


def test_to_replaces_the_team_and_no_owner_gets_a_test() -> None:
    found = mailed(report(owned("a", "Alice")), per_owner=True, owners=OWNERS, to=("me@b",))
    assert recipients(found) == [("me@b",)]


def test_one_owners_part_can_be_asked_for() -> None:
    about = report(owned("a", "Alice"))
    assert recipients(mailed(about, owners=OWNERS, owner="ALICE")) == [("alice@example.org",)]
    assert recipients(mailed(about, owner="alice", to=("me@b",))) == [("me@b",)]
    with pytest.raises(UsageError, match="named are: Alice"):
        mailed(about, owner="Bob")
    with pytest.raises(UsageError, match="no address of 'alice' is known"):
        mailed(about, owner="alice")


def test_a_page_too_large_for_a_mail_is_left_off_and_said_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(letters, "LARGEST_ATTACHMENT", 1000)
    [letter] = mailed(report(owned("a", "Alice"))).letters
    assert letter.attachments == ()
    assert "too much for a mail" in letter.text
    assert "too much for a mail" in letter.page


def test_the_same_run_has_the_same_name_and_another_view_another_one() -> None:
    about = report(owned("a", "Alice"))
    [one], [same] = mailed(about).letters, mailed(about).letters
    [other] = mailed(report(owned("b", "Alice"))).letters
    assert one.run == same.run != other.run
