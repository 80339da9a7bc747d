from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from snapaudit.archive.clearing import clear
from snapaudit.archive.shelf import MARK, put, put_index, shelved
from snapaudit.errors import RefusedError, SnapauditError
from snapaudit.model.check import Status
from snapaudit.model.edition import Edition
from snapaudit.model.weekly import KeyName
from tests.builders import NOW

BODIES = {"report.html": b"<p>", "report.json": b"{}"}
DAY = f"{NOW:%Y-%m-%d}"


def edition(at: datetime = NOW, status: Status = Status.OK) -> Edition:
    numbers = {KeyName.SNAPSHOTS: 3, KeyName.HELD: None}
    return Edition(reported_at=at, status=status, sentence="fine", numbers=numbers, files={})


def fill(folder: Path, weeks: int) -> list[str]:
    """The days of so many weekly reports, the newest first."""
    moments = [NOW - timedelta(weeks=back) for back in range(weeks)]
    for at in moments:
        put(folder, edition(at), BODIES)
    return [f"{at:%Y-%m-%d}" for at in moments]


def test_a_report_lies_in_the_folder_of_its_day_and_is_found_again(tmp_path: Path) -> None:
    days = fill(tmp_path / "reports", 3)
    found = shelved(tmp_path / "reports")
    assert [one.day for one in found] == days
    assert found[0].edition is not None
    assert found[0].edition.numbers == {KeyName.SNAPSHOTS: 3, KeyName.HELD: None}
    assert set(found[0].edition.files) == set(BODIES)


def test_a_second_report_of_a_day_replaces_the_first(tmp_path: Path) -> None:
    put(tmp_path, edition(), BODIES)
    put(tmp_path, edition(status=Status.CRITICAL), {**BODIES, "report.html": b"<b>"})
    [one] = shelved(tmp_path)
    assert one.edition is not None
    assert one.edition.status is Status.CRITICAL
    assert (tmp_path / DAY / "report.html").read_bytes() == b"<b>"


@pytest.mark.parametrize("name", ["notes", "2026-05", "2026-06-01.old", "2026-06-01"])
def test_what_has_no_mark_is_not_listed_and_never_removed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "precious.txt").write_text("x")
    assert shelved(tmp_path) == ()
    fill(tmp_path / "elsewhere", 1)
    clear(tmp_path, 1)
    assert (tmp_path / name / "precious.txt").exists()


def test_a_folder_of_somebody_else_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / DAY).mkdir()
    (tmp_path / DAY / "report.html").write_text("by hand")
    with pytest.raises(RefusedError, match="was not written here"):
        put(tmp_path, edition(), BODIES)
    assert (tmp_path / DAY / "report.html").read_text() == "by hand"


def test_a_link_in_place_of_a_day_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    put(target, edition(), BODIES)
    shelf = tmp_path / "reports"
    shelf.mkdir()
    (shelf / DAY).symlink_to(target / DAY)
    assert shelved(shelf) == ()
    with pytest.raises(RefusedError, match="was not written here"):
        put(shelf, edition(), BODIES)


def test_old_reports_go_and_the_newest_stay(tmp_path: Path) -> None:
    days = fill(tmp_path, 5)
    cleared = clear(tmp_path, 2)
    assert (list(cleared.gone), cleared.staying) == (days[2:], ())
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(days[:2])


def test_the_newest_report_stays_whatever_is_asked(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    assert clear(tmp_path, 0).gone == ()


def test_a_report_in_which_something_was_put_or_changed_stays_whole(tmp_path: Path) -> None:
    days = fill(tmp_path, 4)
    (tmp_path / days[1] / "notes.txt").write_text("mine")
    (tmp_path / days[2] / "report.html").write_text("commented by hand")
    (tmp_path / days[3] / "report.html").unlink()
    cleared = clear(tmp_path, 1)
    assert cleared.gone == (days[3],)
    assert dict(cleared.staying) == {
        days[1]: "it holds notes.txt, which was not written here",
        days[2]: "report.html was changed since it was written",
    }
    assert (tmp_path / days[1] / "report.json").exists()
    assert (tmp_path / days[2] / "report.json").exists()


def test_a_file_that_became_a_link_or_a_folder_is_not_followed(tmp_path: Path) -> None:
    days = fill(tmp_path, 2)
    outside = tmp_path / "outside"
    outside.write_bytes(BODIES["report.html"])
    changed = tmp_path / days[1] / "report.html"
    changed.unlink()
    changed.symlink_to(outside)
    assert dict(clear(tmp_path, 1).staying) == {days[1]: "report.html is no file any more"}
    assert outside.exists()


@pytest.mark.parametrize("name", ["../outside", "../../outside", "/etc/passwd", "..", ""])
def test_a_mark_that_names_files_elsewhere_removes_nothing_there(tmp_path: Path, name: str) -> None:
    days = fill(tmp_path / "reports", 2)
    places = (tmp_path / "outside", tmp_path / "reports" / "outside")
    for place in places:
        place.write_text("x")
    mark = tmp_path / "reports" / days[1] / MARK
    document = json.loads(mark.read_text())
    document["files"][name] = hashlib.sha256(b"x").hexdigest()
    mark.write_text(json.dumps(document))
    clear(tmp_path / "reports", 1)
    assert [place.read_text() for place in places] == ["x", "x"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"schema": "snapaudit/edition@2"}'])
def test_a_damaged_mark_is_listed_as_unreadable_and_its_folder_stays(
    tmp_path: Path, damage: str
) -> None:
    days = fill(tmp_path, 2)
    (tmp_path / days[1] / MARK).write_text(damage)
    broken = shelved(tmp_path)[1]
    assert broken.edition is None
    assert broken.complaint.startswith("it cannot be read: ")
    assert [day for day, _ in clear(tmp_path, 1).staying] == [days[1]]


def test_files_are_as_open_as_the_folder_and_a_new_one_is_for_its_owner_alone(
    tmp_path: Path,
) -> None:
    place = put(tmp_path / "new", edition(), BODIES)
    assert [_mode(path) for path in (tmp_path / "new", place, place / MARK)] == [
        *("700", "700", "600")
    ]
    (tmp_path / "new").chmod(0o755)
    place = put(tmp_path / "new", edition(), BODIES)
    assert [_mode(path) for path in (place, place / MARK)] == ["755", "644"]
    assert _mode(put_index(tmp_path / "new", b"")) == "644"


def _mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:o}"


def test_a_reports_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapauditError, match="cannot be written: "):
        put(tmp_path / "file", edition(), BODIES)
