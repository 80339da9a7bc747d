"""The pages in a real browser: quiet, alone, accessible, at home on a phone and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_core_python.sync_playwright import Axe

from snapaudit.model.check import Status
from snapaudit.model.edition import Edition, Shelved
from snapaudit.model.weekly import KeyName
from snapaudit.report.formats import render_audit, render_weekly
from snapaudit.report.weekly.index import render as render_index
from snapaudit.report.weekly.mailed import Digest
from snapaudit.report.weekly.mailed import page as mail_page
from tests.beds.browser import BrowserBed, Scheme
from tests.examples import MONDAY, example_audit, example_week
from tests.report.weeks import named

PAGES = ("weekly", "audit")
NAME = "<img src=x onerror=alert(1)> \u202e [/x] " + "long" * 60
pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserBed]:
    with BrowserBed() as bed:
        yield bed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pages")
    (place / "weekly.html").write_bytes(render_weekly(example_week(), "html"))
    (place / "audit.html").write_bytes(render_audit(example_audit(), "html"))
    (place / "index.html").write_bytes(render_index(_shelf()))
    (place / "mail.html").write_text(mail_page(Digest(report=example_week())))
    (place / "hostile-mail.html").write_text(mail_page(Digest(report=named(NAME))))
    (place / "hostile.html").write_bytes(render_weekly(named(NAME), "html"))
    return place


def _shelf() -> tuple[Shelved, ...]:
    """Some weeks of published reports, and one of which nothing can be read any more."""
    names = ("html", "md", "json", "csv", "xlsx")
    weeks = (
        Edition(
            reported_at=MONDAY - timedelta(weeks=back),
            status=status,
            sentence=NAME,
            numbers=dict.fromkeys(KeyName, back * 10**9),
            files={f"report.{name}": "" for name in names},
        )
        for back, status in enumerate(Status)
    )
    damaged = Shelved(day="2026-10-26", edition=None, complaint=NAME)
    return (*(Shelved(day=f"{one.reported_at:%Y-%m-%d}", edition=one) for one in weeks), damaged)


@pytest.mark.parametrize("name", [*PAGES, "index", "mail", "hostile-mail", "hostile"])
def test_a_page_asks_for_nothing_and_its_console_stays_empty(
    browser: BrowserBed, folder: Path, name: str
) -> None:
    path = folder / f"{name}.html"
    with browser.look(path) as look:
        look.page.wait_for_load_state("networkidle")
        assert look.said == []
        assert look.asked == [path.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1400])
@pytest.mark.parametrize("name", [*PAGES, "index"])
def test_a_page_passes_the_rules_of_axe(
    browser: BrowserBed, folder: Path, name: str, width: int, scheme: Scheme
) -> None:
    with browser.look(folder / f"{name}.html", width=width, scheme=scheme) as look:
        found = Axe().run(look.page)
    assert len(found["passes"]) > 20
    assert [
        (one["id"], node["html"][:200], node["failureSummary"][:300])
        for one in found["violations"]
        for node in one["nodes"][:2]
    ] == []


@pytest.mark.parametrize("width", [380, 780, 1400])
@pytest.mark.parametrize("name", [*PAGES, "index", "mail", "hostile-mail", "hostile"])
def test_no_page_is_wider_than_its_window(
    browser: BrowserBed, folder: Path, name: str, width: int
) -> None:
    with browser.look(folder / f"{name}.html", width=width) as look:
        wide: int = look.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def test_a_table_is_sorted_from_the_keyboard_and_says_so(browser: BrowserBed, folder: Path) -> None:
    with browser.look(folder / "weekly.html") as look:
        table = look.page.locator("table.offenders")
        head = table.locator("thead th", has_text="Age")
        head.locator("button").focus()
        look.page.keyboard.press("Enter")
        first = [float(key) for key in _keys(table.locator("tbody tr td:nth-child(3)"))]
        assert head.get_attribute("aria-sort") == "descending"
        look.page.keyboard.press("Enter")
        second = [float(key) for key in _keys(table.locator("tbody tr td:nth-child(3)"))]
        assert head.get_attribute("aria-sort") == "ascending"
    assert first == sorted(first, reverse=True) != second == sorted(second)


def _keys(cells: object) -> list[str]:
    found: list[str] = cells.evaluate_all("cells => cells.map(c => c.dataset.key)")  # type: ignore[attr-defined]
    return found


def test_a_filter_leaves_the_rows_that_hold_its_words(browser: BrowserBed, folder: Path) -> None:
    with browser.look(folder / "weekly.html") as look:
        rows = look.page.locator("table.offenders tbody tr")
        total = rows.count()
        look.page.get_by_label("Filter").first.fill("erp-db01")
        shown = look.page.locator("table.offenders tbody tr:not([hidden])")
        assert shown.count() == 1
        assert look.page.get_by_role("status").first.inner_text() == f"1 of {total} rows"


@pytest.mark.parametrize("name", PAGES)
def test_without_script_a_page_shows_the_same_rows(
    browser: BrowserBed, folder: Path, name: str
) -> None:
    with browser.look(folder / f"{name}.html") as look:
        with_script = look.page.locator("tbody tr").count()
    with browser.look(folder / f"{name}.html", script=False) as look:
        assert look.page.locator("tbody tr").count() == with_script
        assert look.page.locator("button, input").count() == 0
        assert look.page.locator("h2").first.is_visible()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_printed_without_what_only_a_screen_needs(
    browser: BrowserBed, folder: Path, name: str
) -> None:
    with browser.look(folder / f"{name}.html", scheme="dark") as look:
        paper = look.page.pdf(format="A4", print_background=True)
        look.page.emulate_media(media="print")
        ground = look.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert look.page.locator("nav, .tools").locator("visible=true").count() == 0
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", paper)) < 30
    assert ground == "rgb(255, 255, 255)"


def test_every_picture_says_what_it_shows(browser: BrowserBed, folder: Path) -> None:
    with browser.look(folder / "weekly.html") as look:
        pictures = look.page.locator("svg[role=img]")
        assert pictures.count() >= 11
        for number in range(pictures.count()):
            one = pictures.nth(number)
            said = one.get_attribute("aria-label") or one.locator("title, desc").all_text_contents()
            assert said
        mute = look.page.locator("svg:not([role=img]):not([aria-hidden=true])")
        assert mute.count() == 0
