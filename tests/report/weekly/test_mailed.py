"""The page and the text of the weekly mail, as strict parsers and a narrow window see them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from snapaudit.app.weekly.narrowing import narrowed
from snapaudit.model.history import Change, Diff
from snapaudit.model.inventory import Coverage, CoverageState, Gap
from snapaudit.model.weekly import KeyName, KeyNumber, Sample, WeeklyReport
from snapaudit.report.escape import columns, mail_text
from snapaudit.report.weekly import bars
from snapaudit.report.weekly.mailed import Digest, page
from snapaudit.report.weekly.mailtext import text
from tests.app.weekly.reports import clean, missing, owned, report
from tests.builders import GIB, NOW, datastore, inventory, snapshot, vm
from tests.report.hostile import hostile_names
from tests.report.records import on_snapshot
from tests.report.weeks import named

CUT_AT = 100 * 1024
"""A large mail program cuts what a mail shows at about 102 kB."""
# What the big mail programs leave in a mail: no style sheet, script, drawing, picture or link.
KEPT_TAGS = frozenset(
    (
        *("html", "head", "meta", "title", "body", "table", "tbody", "tr", "th", "td"),
        *("h1", "h2", "div", "span", "strong", "br"),
    )
)
KEPT_ATTRIBUTES = frozenset(
    (
        *("style", "align", "bgcolor", "width", "height", "role", "border"),
        *("cellpadding", "cellspacing", "lang", "charset", "name", "content"),
    )
)
TITLES = frozenset(
    (
        *("NOT SEEN", "KEY NUMBERS", "WHAT CHANGED", "DATASTORES BY DAYS TO FULL"),
        *("TOP OFFENDERS", "BY OWNER", "MAKESHIFT BACKUPS, BY THEIR LOOKS"),
        *("ANNOUNCED, AND WHEN IT IS DUE", "CLEANED UP", "EXEMPTIONS AND HOLDS TO LOOK AT"),
    )
)


def parsed(digest: Digest) -> Element:
    """Read by the algorithm of browsers, in which any mistake in the markup is an error."""
    root: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(
        page(digest)
    )
    return root


def shown(digest: Digest) -> str:
    return " ".join("".join(parsed(digest).itertext()).split())


def check_harmless(root: Element) -> None:
    for one in root.iter():
        assert one.tag in KEPT_TAGS
        assert set(one.attrib) <= KEPT_ATTRIBUTES
        assert not re.search("url|position|expression|@", one.attrib.get("style", ""))


@pytest.mark.parametrize("name", tuple(hostile_names()))
def test_a_hostile_name_is_text_in_the_page_and_nothing_else(name: str) -> None:
    root = parsed(Digest(report=named(name)))
    check_harmless(root)
    said = " ".join("".join(root.itertext()).split())
    for limit in (40, 60):
        assert " ".join(mail_text(name, limit).split()) in said


@pytest.mark.parametrize("name", tuple(hostile_names()))
def test_a_hostile_name_begins_no_section_and_no_command_in_the_text(name: str) -> None:
    digest = Digest(report=named(name))
    said = text(digest)
    assert all(line.isprintable() for line in said.split("\n"))
    _, _, *sections, _ = said.split("\n\n")
    assert {one.split("\n")[0] for one in sections} <= TITLES
    assert " ".join(mail_text(name, 60).split()) in " ".join(said.split())
    assert digest.subject.isprintable()


@pytest.mark.parametrize("name", ["http://x.example", "\uff1a//x.example", "ftp://a://b"])
def test_a_name_that_is_an_address_becomes_no_link_of_a_mail_program(name: str) -> None:
    digest = Digest(report=named(name), owner=name)
    for said in (page(digest), text(digest), digest.subject):
        assert not re.search("[:\uff1a]//", said)


def test_nothing_is_in_the_page_that_mail_programs_strip() -> None:
    for about in (clean(), report(owned("a", "Alice"), missing("kvm2")), _large()):
        check_harmless(parsed(Digest(report=about)))


def _large(**changes: Any) -> WeeklyReport:
    long = "<&快" * 100
    machines = tuple(
        vm(
            f"{number}{long}",
            snapshot(long, id=f"s{number}", age="90d", description=long, has_memory=True),
            notes=f"Owner: {long if number % 2 else number}",
            protections=(long,),
        )
        for number in range(400)
    )
    gaps = tuple(Gap(subject=long, reason=long) for _ in range(400))
    stores = tuple(datastore(f"{number}{long}") for number in range(60))
    coverage = Coverage(state=CoverageState.PARTIAL, reason=long)
    seen = inventory(*machines, gaps=gaps, datastores=stores, coverage=coverage)
    change = Change(
        subject=on_snapshot(long, long), rules=(), size_bytes=GIB, previous_size_bytes=1
    )
    many = (change,) * 400
    diff = Diff(since=NOW, until=NOW, new=many, resolved=many, grown=many, back=many, worse=many)
    return report(seen, diff=diff, remarks=(long,) * 5, **changes)


def test_the_largest_page_is_shown_uncut() -> None:
    whole = _large()
    owner = whole.snapshots[1].owner.name or ""
    for digest in (Digest(report=whole), Digest(report=narrowed(whole, [owner]), owner=owner)):
        assert len(page(digest).encode()) < CUT_AT


def test_what_was_not_seen_stands_above_the_numbers() -> None:
    digest = Digest(report=report(owned("a", "Alice"), missing("kvm2")))
    for said in (shown(digest), text(digest)):
        assert said.index("kvm2 is missing: no route to host") < said.lower().index("key numbers")
    assert "UNKNOWN" in digest.subject


def test_a_clean_week_says_so_in_the_subject() -> None:
    subject = Digest(report=clean()).subject
    assert subject.startswith("[snapaudit] OK 2026-06-01: ")
    assert subject.endswith("the endpoint is complete")


def test_what_is_left_out_is_counted() -> None:
    digest = Digest(report=_large())
    for said in (shown(digest), text(digest)):
        assert re.search(r"and \d+ more", said)


def test_lines_of_the_text_break_between_words() -> None:
    lines = text(Digest(report=report(owned("a", "Alice"), owned("b", "Bob")))).splitlines()
    assert max(map(columns, lines)) <= 76


def test_the_weeks_are_drawn_as_characters_and_an_unknown_one_is_a_dot() -> None:
    weeks = [
        Sample(at=NOW - timedelta(weeks=back), value=value)
        for back, value in enumerate((0, None, 7, 14))
    ]
    assert bars.spark(weeks) == "▁·▅█"
    assert bars.spark(()) == ""


def test_a_little_is_not_drawn_as_nothing() -> None:
    assert [bars.percent(share) for share in (0, 0.0001, 0.5, 2)] == [0, 1, 50, 100]


def test_an_owner_is_told_no_comparison_that_is_not_his() -> None:
    whole = report(owned("a", "Alice"))
    part = narrowed(whole, ["Alice"])
    assert all(one == KeyNumber(name=one.name, value=one.value, previous=None, samples=())
               for one in part.numbers)  # fmt: skip
    assert [one.name for one in part.numbers] == list(KeyName)
    assert "nothing to compare" not in text(Digest(report=part, owner="Alice"))
