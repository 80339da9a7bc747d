"""Adding to and cutting out of the exemptions file: whole or not at all, one after the other."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from snapaudit.codec import files
from snapaudit.config.accepting import Wish, add, remove
from snapaudit.config.exemptions import read_exemptions
from snapaudit.config.settings import ExemptionSettings
from snapaudit.errors import InputError, RefusedError, SnapauditError, UsageError
from snapaudit.model.exemption import Selector
from tests.builders import NOW
from tests.config.test_exemptions import KNOWN, WHOLE

HOSTILE = ["\x1b[2J", "a\nb", "\u202eevil", "=1+1", "- x: {", "#", "\udc80", "é", "true", "'", '"']


def settings(folder: Path, **changes: Any) -> ExemptionSettings:
    return ExemptionSettings(file=folder / "exemptions.yaml", **changes)


def wish(**changes: Any) -> Wish:
    fields: dict[str, Any] = {
        "id": None,
        "rules": ("stale-snapshot",),
        "selector": Selector(vm="web01"),
        "owner": "ada",
        "reason": "asked for",
        "ticket": None,
        "until": "2026-08-31",
    }
    return Wish(**{**fields, **changes})


def ids(site: ExemptionSettings) -> list[str]:
    return [one.id for one in read_exemptions(site, KNOWN)]


def test_file_is_made_and_read_back(tmp_path: Path) -> None:
    site = settings(tmp_path)
    made = add(site, wish(id="EX-1"), KNOWN, NOW)
    (read,) = read_exemptions(site, KNOWN)
    assert replace(read, place=made.place) == made
    assert read.created_at == datetime(2026, 6, 1, tzinfo=UTC)
    assert read.expires_at == datetime(2026, 9, 1, 12, tzinfo=UTC)
    assert (tmp_path / "exemptions.yaml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_kept_as_they_are(tmp_path: Path, text: str) -> None:
    site = settings(tmp_path)
    selector = Selector(vm=text, snapshot=text, tags=(text,), endpoint=text)
    add(site, wish(selector=selector, owner=text, reason=text, ticket=text), KNOWN, NOW)
    add(site, wish(id="EX-2"), KNOWN, NOW)
    one, two = read_exemptions(site, KNOWN)
    assert (one.selector, one.owner, one.reason) == (selector, text.strip(), text.strip())
    assert two.id == "EX-2"


def test_hand_written_file_keeps_its_comments_its_mode_and_its_link(tmp_path: Path) -> None:
    home = tmp_path / "git"
    home.mkdir()
    file = home / "ours.yaml"
    text = "\ufeff" + WHOLE.replace("\n    ", "\n").replace("    version", "version")
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)
    (tmp_path / "exemptions.yaml").symlink_to(file)
    site = settings(tmp_path)
    add(site, wish(id="EX-2"), KNOWN, NOW)
    written = file.read_text(encoding="utf-8")
    assert written.startswith(text)
    assert ids(site) == ["EX-1", "EX-2"]
    assert file.stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "exemptions.yaml").is_symlink()
    remove(site, "EX-2")
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"owner": "n/a"}, "needs an owner"),
        ({"reason": " "}, "needs a reason"),
        ({"until": "soon"}, "'soon' is no date"),
        ({"until": "2026-05-30"}, "would have ended already"),
        (
            {"until": "2026-11-29"},
            "no exemption may last longer than 180 days here; the last day i",
        ),
        (
            {"rules": ("stale-snapshots",)},
            "no rule 'stale-snapshots' (did you mean 'stale-snapshot",
        ),
        ({"rules": ("exemption-expired",)}, "watches over exemptions"),
        ({"selector": Selector(datastore="x")}, "which 'datastore' cannot select"),
        ({"selector": Selector(environment="prd")}, "no environment 'prd'"),
        ({"id": "a b"}, "expected an id of letters"),
    ],
)
def test_wish_that_cannot_be_is_told_and_no_file_is_made(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        add(settings(tmp_path), wish(**changes), KNOWN, NOW)
    assert said in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_longest_life_may_be_used_to_its_last_day(tmp_path: Path) -> None:
    site = settings(tmp_path, max_life=timedelta(days=30))
    add(site, wish(until="2026-07-01"), KNOWN, NOW)
    with pytest.raises(UsageError, match="the last day is 2026-07-01"):
        add(site, wish(until="2026-07-02"), KNOWN, NOW)


def test_ticket_is_demanded_where_the_site_does(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--ticket is missing"):
        add(settings(tmp_path, require_ticket=True), wish(), KNOWN, NOW)


def test_id_that_is_there_is_refused(tmp_path: Path) -> None:
    site = settings(tmp_path)
    add(site, wish(id="EX-1"), KNOWN, NOW)
    with pytest.raises(UsageError, match="'EX-1' already"):
        add(site, wish(id="EX-1"), KNOWN, NOW)


def test_file_with_a_mistake_is_not_added_to(tmp_path: Path) -> None:
    file = tmp_path / "exemptions.yaml"
    file.write_text("version: 1\nexemptions:\n  - {id: EX-1}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"exemptions\.yaml:3:5: the key 'rules' is missing"):
        add(settings(tmp_path), wish(), KNOWN, NOW)
    assert remove(settings(tmp_path), "EX-1") == 3
    assert ids(settings(tmp_path)) == []


def test_id_that_stands_twice_is_not_cut(tmp_path: Path) -> None:
    file = tmp_path / "exemptions.yaml"
    text = "version: 1\nexemptions:\n  - {id: EX-1}\n  - {id: EX-1}\n"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError, match="several exemptions"):
        remove(settings(tmp_path), "EX-1")
    assert file.read_text(encoding="utf-8") == text


def test_what_is_not_there_cannot_be_cut(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        remove(settings(tmp_path), "EX-1")
    add(settings(tmp_path), wish(id="EX-2"), KNOWN, NOW)
    with pytest.raises(UsageError, match="no exemption 'EX-1'"):
        remove(settings(tmp_path), "EX-1")


def test_full_disk_leaves_the_file_as_it_was_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = settings(tmp_path)
    add(site, wish(id="EX-1"), KNOWN, NOW)
    before = (tmp_path / "exemptions.yaml").read_bytes()

    def full(_handle: int, _body: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.replace_file, "__defaults__", (files.Disk(write=full),))
    for change in (lambda: add(site, wish(), KNOWN, NOW), lambda: remove(site, "EX-1")):
        with pytest.raises(SnapauditError, match="cannot be written: No space left on device"):
            change()
    assert (tmp_path / "exemptions.yaml").read_bytes() == before
    assert os.listdir(tmp_path) == ["exemptions.yaml"]  # noqa: PTH208 - names are what is compared


def test_many_who_add_at_once_lose_nothing(tmp_path: Path) -> None:
    site, start = settings(tmp_path), threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        add(site, wish(id=f"EX-{number}"), KNOWN, NOW)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(ids(site)) == [f"EX-{number}" for number in range(8)]
