from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from snapaudit.model.inventory import Coverage, CoverageState, Gap
from snapaudit.model.policy import Remedy, Severity
from snapaudit.report.check.formats import CHECK_FORMATS, render_check
from snapaudit.report.escape import columns
from snapaudit.report.formats import AUDIT_FORMATS, render_audit, render_weekly
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.builders import NOW, datastore, inventory, vm
from tests.examples import (
    FILES,
    FOLDER,
    WEEKLY_FILES,
    enforcement,
    example_audit,
    example_week,
)
from tests.report.records import audit_of, checked, finding, on_snapshot, open_question

INCOMPLETE = [state for state in CoverageState if state is not CoverageState.COMPLETE]


def _readable(name: str, document: bytes) -> str:
    """The text of a document, whatever it is packed in."""
    if name != "xlsx":
        return document.decode()
    with zipfile.ZipFile(io.BytesIO(document)) as book:
        return "".join(book.read(part).decode() for part in book.namelist())


def _parts(name: str, document: bytes) -> object:
    """What must be equal: the bytes, of a workbook those of each part before compression."""
    if name != "xlsx":
        return document
    with zipfile.ZipFile(io.BytesIO(document)) as book:
        return {part: book.read(part) for part in book.namelist()}


@pytest.mark.parametrize(("file", "name"), FILES.items())
def test_the_gallery_is_what_the_formats_make_today(file: str, name: str) -> None:
    made = render_audit(example_audit(), name)
    assert _parts(name, made) == _parts(name, (FOLDER / file).read_bytes()), "run make examples"


@pytest.mark.parametrize(("file", "name"), WEEKLY_FILES.items())
def test_the_gallery_of_the_week_is_what_the_formats_make_today(file: str, name: str) -> None:
    made = render_weekly(example_week(), name)
    assert _parts(name, made) == _parts(name, (FOLDER / file).read_bytes()), "run make examples"


@pytest.mark.parametrize("file", enforcement())
def test_the_gallery_of_plan_and_run_is_what_is_made_today(file: str) -> None:
    assert enforcement()[file] == (FOLDER / file).read_bytes(), "run make examples"


@pytest.mark.parametrize("name", AUDIT_FORMATS)
def test_equal_audits_give_equal_bytes(name: str) -> None:
    assert render_audit(example_audit(), name) == render_audit(example_audit(), name)


@pytest.mark.parametrize("name", AUDIT_FORMATS)
@pytest.mark.parametrize("state", INCOMPLETE)
def test_no_format_hides_an_endpoint_that_was_not_seen(name: str, state: CoverageState) -> None:
    blind = inventory(endpoint="hv7", coverage=Coverage(state=state, reason="rights are missing"))
    text = _readable(name, render_audit(audit_of(inventory(vm()), blind), name, width=160))
    assert "hv7" in text
    assert state in text
    assert "rights are missing" in text


@pytest.mark.parametrize("name", AUDIT_FORMATS)
def test_gaps_and_old_file_lists_are_said_aloud(name: str) -> None:
    seen = inventory(
        vm(),
        datastores=(datastore(stale_reason="refreshed 3 days ago"),),
        gaps=(Gap(subject="machine build03", reason="it was locked"),),
        blind_spots=("array snapshots",),
        lab=True,
    )
    text = _readable(name, render_audit(audit_of(seen), name, width=160))
    for words in ("refreshed 3 days ago", "machine build03", "it was locked", "array snapshots"):
        assert words in text
    assert "lab" in text.lower()


@pytest.mark.parametrize("name", AUDIT_FORMATS)
def test_grd_35_a_connection_that_is_not_verified_is_said_in_every_format(name: str) -> None:
    policy = load_policy((), disable={}, levels={}, environments=())
    seen = audit([inventory(vm(), endpoint="hv7", connection_verified=False)], policy, NOW)
    assert "unverified" in _readable(name, render_audit(seen, name, width=160)).lower()


@pytest.mark.parametrize("name", CHECK_FORMATS)
def test_grd_35_a_check_says_so_too(name: str) -> None:
    policy = load_policy((), disable={}, levels={}, environments=())
    seen = audit([inventory(vm(), endpoint="hv7", connection_verified=False)], policy, NOW)
    assert "unverified" in render_check(checked(seen), name).decode().lower()


@pytest.mark.parametrize("name", AUDIT_FORMATS)
def test_grd_15_a_marked_finding_is_announced_in_every_format(name: str) -> None:
    about = on_snapshot("web01", "before-upgrade")
    found = finding("old", Severity.WARNING, about, remedy=Remedy.DELETE_SNAPSHOT)
    marked = replace(found, due_at=datetime(2026, 12, 1, 8, 30, tzinfo=UTC))
    text = _readable(name, render_audit(audit_of(inventory(vm()), findings=(marked,)), name))
    assert ("46357.35" if name == "xlsx" else "2026-12-01") in text  # a sheet counts days
    if name in ("table", "markdown", "html"):
        assert "marked: may be deleted from 2026-12-01" in text.lower()


@pytest.mark.parametrize("name", [name for name in AUDIT_FORMATS if name != "json"])
def test_an_audit_without_any_endpoint_says_so(name: str) -> None:
    assert "no endpoint was read" in _readable(name, render_audit(audit_of(), name))


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_a_table_keeps_to_its_columns(width: int) -> None:
    lines = render_audit(example_audit(), "table", width=width).decode().splitlines()
    assert max(map(columns, lines)) <= width


def test_without_colour_a_table_holds_no_control_sequence() -> None:
    assert b"\x1b" not in render_audit(example_audit(), "table")
    assert b"\x1b" in render_audit(example_audit(), "table", colour=True)


def test_the_table_opens_with_the_verdict_and_says_the_same_without_colour() -> None:
    first = render_audit(example_audit(), "table").decode().splitlines()[0]
    assert first.startswith("CRITICAL  ")
    assert "UNKNOWN" in first


def test_csv_keeps_sizes_as_numbers_and_unknown_as_nothing() -> None:
    rows = list(csv.DictReader(io.StringIO(render_audit(example_audit(), "csv").decode())))
    gains = {row["subject_name"]: row for row in rows if row["subject_kind"] == "snapshot"}
    assert gains["quarter end"]["reclaimable_max_bytes"] == str(240 * 2**30)
    assert gains["clean"]["reclaimable_min_bytes"] == ""
    assert gains["clean"]["reclaimable_max_bytes"] == ""


@pytest.mark.parametrize("name", ["table", "markdown", "html"])
def test_a_datastore_that_cannot_be_reached_is_never_shown_as_empty(name: str) -> None:
    lost = datastore("nas-9", capacity_bytes=None, free_bytes=None, accessible=False)
    text = _readable(name, render_audit(audit_of(inventory(vm(), datastores=(lost,))), name))
    assert "nas-9" in text
    assert "not accessible" in text
    assert "unknown" in text


@pytest.mark.parametrize("name", ["table", "markdown"])
def test_many_open_questions_of_one_sort_show_examples_and_their_number(name: str) -> None:
    asked = [open_question("stale", on_snapshot("web01", f"s{n}"), "age", "old") for n in range(9)]
    text = render_audit(audit_of(inventory(vm()), undetermined=tuple(asked)), name).decode()
    assert "and 6 more" in text
