from __future__ import annotations

import resource
from pathlib import Path

import pytest

from snapaudit.errors import RefusedError, SnapauditError
from snapaudit.mail.ledger import NAME, Ledger
from snapaudit.model.letter import Fate
from tests.builders import NOW
from tests.mail.letters import letter


def test_what_was_sent_is_remembered_for_that_recipient_run_and_part(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.note(letter(), ["a@b"], 0, Fate.UNKNOWN, NOW)
        ledger.note(letter(), ["a@b"], 0, Fate.SENT, NOW)
    with Ledger(tmp_path) as ledger:
        assert ledger.fate(letter(), "a@b") == (Fate.EARLIER, "")
        assert ledger.fate(letter(), "c@d") is None
        assert ledger.fate(letter(run="run-2"), "a@b") is None
        assert ledger.fate(letter(part="alice"), "a@b") is None


def test_what_ended_unseen_is_not_sent_again_by_itself(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.note(letter(), ["a@b"], 0, Fate.UNKNOWN, NOW)
    with Ledger(tmp_path) as ledger:
        fate = ledger.fate(letter(), "a@b")
    assert fate is not None
    assert "may have been delivered" in fate[1]


@pytest.mark.parametrize("fate", [Fate.REFUSED, Fate.FAILED])
def test_what_was_not_taken_may_be_tried_again_as_the_same_letter(
    tmp_path: Path, fate: Fate
) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.note(letter(), ["a@b"], 0, Fate.UNKNOWN, NOW)
        ledger.note(letter(), ["a@b"], 0, fate, NOW)
        assert ledger.fate(letter(), "a@b") is None
        assert ledger.attempt(letter(), again=False) == 0
        assert ledger.attempt(letter(), again=True) == 1


def test_again_to_one_does_not_make_the_others_due_again(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.note(letter(), ["a@b", "c@d"], 0, Fate.SENT, NOW)
        ledger.note(letter(), ["a@b"], 1, Fate.REFUSED, NOW)
        assert ledger.fate(letter(), "a@b") == (Fate.EARLIER, "")
        assert ledger.fate(letter(), "c@d") == (Fate.EARLIER, "")


def test_half_a_line_after_a_crash_is_no_entry_and_the_next_one_is_whole(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.note(letter(), ["a@b"], 0, Fate.SENT, NOW)
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"at": "2026-0')
    with Ledger(tmp_path) as ledger:
        ledger.note(letter(), ["c@d"], 0, Fate.SENT, NOW)
    with Ledger(tmp_path) as ledger:
        assert ledger.fate(letter(), "a@b") == (Fate.EARLIER, "")
        assert ledger.fate(letter(), "c@d") == (Fate.EARLIER, "")


@pytest.mark.parametrize("line", ["nonsense", "[]", "{}", '{"run": 1, "fate": "sent"}'])
def test_a_damaged_ledger_mails_nothing_and_names_the_line(tmp_path: Path, line: str) -> None:
    (tmp_path / NAME).write_text(f"{line}\n")
    with pytest.raises(RefusedError, match=f"{NAME}:1: expected an entry"):
        Ledger(tmp_path)


def test_two_runs_do_not_mail_at_once(tmp_path: Path) -> None:
    with Ledger(tmp_path), pytest.raises(RefusedError, match="another run is mailing"):
        Ledger(tmp_path)


def test_a_link_in_place_of_the_ledger_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match="cannot be opened"):
        Ledger(tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Ledger(tmp_path) as ledger:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            with pytest.raises(SnapauditError, match="cannot be written, and nothing more is mail"):
                ledger.note(letter(), ["a@b"], 0, Fate.UNKNOWN, NOW)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
