from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapaudit.model.finding import Purpose
from snapaudit.rules.purposes.classifier import classifier
from snapaudit.rules.purposes.company import Company
from snapaudit.rules.purposes.expiry import ExpiryReader
from snapaudit.rules.purposes.folding import fold
from snapaudit.rules.purposes.lexicon import read_words
from snapaudit.rules.purposes.spacing import rhythm
from snapaudit.rules.quantity import Unknown, age_of
from tests.builders import NOW, ago, inventory, snapshot, vm
from tests.rules.verdicts import audited


def told(name: str, *, age: str = "5d", company: int = 1, **changes: Any) -> Purpose:
    others = (snapshot(f"x{number}", age=f"{number + 1}h") for number in range(company - 1))
    shots = (snapshot(name, id="s", age=age, **changes), *others)
    (purpose,) = [p for p in audited(inventory(vm("a", *shots))).purposes if p.snapshot_id == "s"]
    return purpose


@pytest.mark.parametrize(
    ("name", "description", "purpose"),
    [
        ("VEEAM BACKUP TEMPORARY SNAPSHOT", "", "backup_product"),
        ("Tuesday", "auto-generated for Backup VM erp", "backup_product"),
        ("NBU_SNAPSHOT web 1 1700000000", "", "backup_product"),
        ("__replicate_204-1_1700000000__", "", "replication"),
        ("zfs-auto-snap_daily-2031-01-01-0000", "", "scheduled"),
        ("cp-replica-8d1f", "", "clone_base"),
        ("run by ansible", "", "automation"),
        ("PreUpgrade7", "", "change_safety"),
        ("vor dem Umbau", "", "change_safety"),
        ("avant la bascule", "", "change_safety"),
        ("antes de cambiar el disco", "", "change_safety"),
        ("prima del riavvio", "", "change_safety"),
        ("przed aktualizacją jądra", "", "change_safety"),
        ("перед переездом", "", "change_safety"),
        ("カーネル更新前", "", "change_safety"),
        ("升级之前", "", "change_safety"),
        ("backup", "before the firmware upgrade", "change_safety"),
        ("Sicherungskopie Warenwirtschaft", "", "makeshift_backup"),
        ("SAUVEGARDE compta", "", "makeshift_backup"),
        ("respaldo nómina", "", "makeshift_backup"),
        ("salvaguarda financeiro", "", "makeshift_backup"),
        ("kopia bezpieczeństwa", "", "makeshift_backup"),
        ("reservekopie boekhouding", "", "makeshift_backup"),
        ("бэкап базы", "", "makeshift_backup"),
        ("会計バックアップ", "", "makeshift_backup"),
        ("财务系统备份", "", "makeshift_backup"),
        ("nightly-copy 3", "", "scheduled"),
        ("snapshot1", "", "unknown"),
        ("1690000000", "", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_purpose_is_read_in_the_words_of_people_and_products(
    name: str, description: str, purpose: str
) -> None:
    assert told(name, description=description).purpose == purpose


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("NAKIVO Backup", "Snapshot created before backup job run. Do not delete."),
        ("Altaro Backup Snapshot", "Temporary snapshot taken before backup"),
        ("HYCU Snapshot", "prior to backup"),
    ],
)
def test_inv_08_product_that_tells_when_it_runs_announces_no_change(name: str, text: str) -> None:
    assert told(name, description=text).purpose == "backup_product"


@pytest.mark.parametrize(
    "text", ["before the update", "before backup update", "before Backup CHG0012345"]
)
def test_change_to_a_product_is_still_a_change(text: str) -> None:
    assert told("Altaro", description=text).purpose == "change_safety"


def test_score_is_the_sum_of_its_printed_reasons() -> None:
    purpose = told("Sicherung, nicht löschen", age="31d", creator="corp\\svc_ops")
    points = [int(reason.split()[0]) for reason in purpose.reasons if reason[0] in "+-"]
    assert purpose.score == sum(points) == 20 + 15 + 25 + 10
    assert "says 'sicherung' (de)" in purpose.reasons[0]


def test_proof_outweighs_every_word_and_scores_nothing() -> None:
    purpose = told("VEEAM BACKUP TEMPORARY SNAPSHOT", description="backup, keep", age="90d")
    assert (purpose.purpose, purpose.score) == ("backup_product", 0)
    assert purpose.reasons == ("proof: marker of Veeam",)


def test_evidence_that_could_not_be_had_is_printed_once_there_is_doubt() -> None:
    doubtful = told("Sicherung", age="31d", size_bytes=None)
    assert doubtful.reasons[-1].startswith("not known: its creator, its size, earlier snapshots")
    assert not any("not known:" in reason for reason in told("vor dem Umbau").reasons)


def test_unknown_age_gives_no_points() -> None:
    purpose = told("Sicherung", created_at=None)
    assert purpose.score == 20


@pytest.mark.parametrize(
    ("changes", "points"),
    [
        ({"age": "7d1s"}, 28),
        ({"age": "14d1s"}, 35),
        ({"company": 3}, 30),
        ({"company": 5}, 35),
        ({"name": "backup 2031-01-01"}, 28),
        ({"description": "OPS-4711"}, 0),
        ({"name": "backup, do not delete", "description": "expires 2026-07-01"}, 10),
        ({"size_bytes": 11 * 2**30}, 25),
    ],
)
def test_each_piece_of_evidence_has_its_points(changes: dict[str, Any], points: int) -> None:
    assert told(**{"name": "backup", **changes}).score == points


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((1, 2, 3), "daily"),
        ((7, 14, 21), "weekly"),
        ((28, 59, 90), "monthly"),
        ((7, 14, 35), "same weekday and hour"),
        ((1, 2, 4), None),
        ((1, 2), None),
    ],
)
def test_rhythm_is_that_of_a_clock_or_calendar(days: tuple[int, ...], expected: str | None) -> None:
    assert rhythm(NOW - timedelta(days=day) for day in days) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("keep until 2026-05-01", "2026-05-02"),
        ("expires: 2026-05-01!", "2026-05-02"),
        ("delete_after_2026.05.01", "2026-05-02"),
        ("bitte aufheben bis 1.5.2026", "2026-05-02"),
        ("à conserver jusqu'au 01.05.2026", "2026-05-02"),
        ("conservar hasta el 2026-05-01", "2026-05-02"),
        ("tenere fino al 01.05.2026", "2026-05-02"),
        ("bewaren tot 01.05.2026", "2026-05-02"),
        ("trzymać do 2026-05-01", "2026-05-02"),
        ("удалить после 01.05.2026", "2026-05-02"),
        ("2026-05-01まで", "2026-05-02"),
        ("保留至2026-05-01", "2026-05-02"),
        ("taken 2026-04-01, keep until 2026-05-01", "2026-05-02"),
        ("taken 2026-05-01", None),
        ("keep until 01/05/2026", None),
        ("keep until May", None),
        ("until 2026-05-011", None),
    ],
)
def test_declared_last_day_is_read_and_lasts_until_its_end(text: str, expected: str | None) -> None:
    found = ExpiryReader(read_words()).expires_at(text)
    at = datetime.fromisoformat(expected).replace(tzinfo=UTC) if expected else None
    assert found == at


def test_declared_day_that_is_in_no_calendar_is_unknown() -> None:
    found = ExpiryReader(read_words()).expires_at("keep until 2026-02-31")
    assert isinstance(found, Unknown)
    assert "2026-02-31" in found.reason


def test_folding_parts_words_and_forgets_case_accents_and_numbers() -> None:
    assert fold("DailySnap_2024-01") == " daily snap 0 0 "
    assert fold("VMTools-Größe") == " vm tools grosse "
    assert fold("") == "  "


def test_every_language_file_can_be_read_and_says_something() -> None:
    languages = {word.language for word in read_words()}
    assert languages >= {"en", "de", "fr", "es", "pt", "it", "nl", "pl", "ru", "ja", "zh"}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_gets_exactly_one_purpose_and_a_score_in_range(name: str, text: str) -> None:
    company = Company("libvirt", 3, None, None)
    shot = snapshot(name, description=text)
    reading, _ = classifier().read(shot, age_of(ago("9d"), NOW), company, NOW)
    assert 0 <= reading.score <= 100
    assert reading.is_proven == any(reason.startswith("proof") for reason in reading.reasons)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abz backup-_ 0123456789", max_size=30))
def test_names_read_alike_whether_or_not_a_like_one_was_read_before(name: str) -> None:
    """But for the 4, which makes a word of ``b4``."""
    company = Company("libvirt", 1, None, None)
    twins = (snapshot(name), snapshot(name.translate(str.maketrans("2356789", "9876532"))))
    first, second = (classifier().read(shot, Unknown("x"), company, NOW)[0] for shot in twins)
    assert (first.purpose, first.score) == (second.purpose, second.score)
