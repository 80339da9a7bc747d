"""Every hostile name goes through every format and comes back from a real parser as one text."""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
import json
import re
import zipfile
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import Any
from xml.parsers import expat

import pytest
from markdown_it import MarkdownIt

from snapaudit.model.exemption import LONGEST_LIFE, ExemptionStanding, standing
from snapaudit.model.finding import Audit, Finding
from snapaudit.model.inventory import Coverage, CoverageState, Gap, Inventory
from snapaudit.model.policy import Severity
from snapaudit.report.escape import csv_cell, plain, storable
from snapaudit.report.formats import AUDIT_FORMATS, render_audit
from snapaudit.report.tree import render_tree
from tests.builders import NOW, datastore, inventory, snapshot, stray, vm
from tests.exempting import exemption
from tests.report.hostile import hostile_names
from tests.report.records import aged, audit_of, finding, on_snapshot, open_question, purpose

NAMES = tuple(hostile_names())


def _inventory() -> Inventory:
    machines = (
        vm(
            name, snapshot(name, id="s", description=name, creator=name, protections=(name,)),
            id=f"vm-{number}",
        )
        for number, name in enumerate(NAMES)
    )  # fmt: skip
    return inventory(
        *machines,
        datastores=tuple(
            datastore(name, id=f"d-{number}", stale_reason=name)
            for number, name in enumerate(NAMES)
        ),
        strays=tuple(stray(name, id=f"f-{number}") for number, name in enumerate(NAMES)),
        gaps=tuple(Gap(subject=name, reason=name) for name in NAMES),
        blind_spots=NAMES,
        coverage=Coverage(state=CoverageState.PARTIAL, reason="".join(NAMES)),
    )


def _finding(number: int, name: str) -> Finding:
    subject = on_snapshot(name, name)
    return finding("stale-snapshot", Severity.WARNING, subject, aged("9d", "7d"), exemption=name)


@cache
def audit() -> Audit:
    questions = (open_question("r", on_snapshot(name, name), "age", name) for name in NAMES)
    found = audit_of(
        _inventory(),
        findings=tuple(_finding(number, name) for number, name in enumerate(NAMES)),
        undetermined=tuple(questions),
        purposes=tuple(purpose(name, "s", "makeshift_backup", 90, name) for name in NAMES),
    )
    return replace(found, exemptions=tuple(map(_exemption, NAMES)))


def _exemption(name: str) -> ExemptionStanding:
    words: dict[str, Any] = dict.fromkeys(("owner", "reason", "ticket", "vm", "endpoint"), name)
    return standing(exemption(name, **words, tags=(name,)), NOW, LONGEST_LIFE, 1)


@cache
def document(name: str) -> bytes:
    return render_audit(audit(), name)


def is_harmless(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


def test_there_are_over_two_hundred_hostile_names() -> None:
    assert len(NAMES) >= 200


@pytest.mark.parametrize("name", [name for name in AUDIT_FORMATS if name not in ("json", "xlsx")])
def test_no_control_or_hidden_character_is_left_in_text(name: str) -> None:
    assert is_harmless(document(name).decode())


def test_a_coloured_table_holds_no_other_sequences_than_colours() -> None:
    text = render_audit(audit(), "table", colour=True).decode()
    own = [piece.split("m", 1)[0] for piece in text.split("\x1b[")[1:]]
    assert all(set(codes) <= set("0123456789;") for codes in own)
    assert text.count("\x1b") == len(own)


def test_csv_gives_every_name_back_in_its_cell() -> None:
    rows = list(csv.DictReader(io.StringIO(document("csv").decode(), newline="")))
    found = [row["subject_name"] for row in rows if row["rule"] == "stale-snapshot"]
    assert sorted(found) == sorted(map(csv_cell, NAMES))
    assert all(None not in row and None not in row.values() for row in rows)


def test_no_csv_text_begins_like_a_formula() -> None:
    rows = csv.reader(io.StringIO(document("csv").decode(), newline=""))
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d"))]


def test_json_gives_every_name_back_unchanged_where_utf8_can_hold_it() -> None:
    found = {one["subject"]["name"] for one in json.loads(document("json"))["findings"]}
    assert found == set(map(storable, NAMES))


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: set[str] = set()
        self.cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in ("summary", "th", "td"):
            self.cell = []
        if tag == "span" and self.cell is not None:
            self._end_text()

    def handle_endtag(self, tag: str) -> None:
        if tag in self.tags:
            self._end_text()

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.cell.append(data)

    def _end_text(self) -> None:
        self.texts.add("".join(self.cell or ()).strip())
        self.cell = []


def _page() -> _Page:
    page = _Page()
    page.feed(document("html").decode())
    page.close()
    return page


def test_html_holds_only_our_own_tags_and_attributes() -> None:
    page = _page()
    assert page.tags <= {
        "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section",
        "h1", "h2", "h3", "p", "div", "span", "strong", "small", "dl", "dt", "dd", "table",
        "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "svg", "rect",
        "path", "circle", "script",
    }  # fmt: skip
    assert not {
        name for name in page.attributes if name.startswith("on") or name in ("src", "href")
    }


def test_html_gives_every_name_back_as_text() -> None:
    assert {plain(f"{name} / {name}").strip() for name in NAMES} <= _page().texts


def test_html_loads_nothing() -> None:
    text = html.unescape(document("html").decode())
    assert "default-src 'none'" in text
    assert "unsafe" not in text.split("<title>")[0]
    assert "@import" not in text
    assert "url(" not in text


def test_html_runs_and_is_styled_by_nothing_but_what_its_policy_names() -> None:
    text = document("html").decode()
    policy = html.unescape(re.findall(r'http-equiv="[^"]+" content="([^"]+)"', text)[0])
    for tag in ("script", "style"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert " style=" not in text


def _cells(tokens: list[Any]) -> list[Any]:
    return [token for token in tokens if token.type == "inline"]


def test_markdown_holds_no_link_picture_or_markup_of_a_name() -> None:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    cells = _cells(parser.parse(document("markdown").decode()))
    kinds = {child.type for cell in cells for child in cell.children or ()}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close", "html_inline"}
    raw = {c.content for cell in cells for c in cell.children or () if c.type == "html_inline"}
    assert raw <= {"<br>"}


def test_markdown_gives_every_name_back_in_its_cell() -> None:
    parser = MarkdownIt("commonmark").enable("table")
    found = {
        "".join(child.content for child in cell.children or ())
        for cell in _cells(parser.parse(document("markdown").decode()))
    }
    assert {plain(f"{name} / {name}").strip() for name in NAMES} <= found


def _member(name: str) -> tuple[set[str], list[str]]:
    """The tags of a part of the workbook, and its texts, one for each string."""
    tags: set[str] = set()
    texts: list[str] = []

    def start(tag: str, _attributes: dict[str, str]) -> None:
        tags.add(tag)
        if tag == "si":
            texts.append("")

    def data(text: str) -> None:
        if texts:
            texts[-1] += text

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler = start, data
    with zipfile.ZipFile(io.BytesIO(document("xlsx"))) as book:
        parser.Parse(book.read(name), True)
    return tags, texts


def test_xlsx_holds_no_formula_and_no_link() -> None:
    for number in range(1, 6):
        tags, _texts = _member(f"xl/worksheets/sheet{number}.xml")
        assert "row" in tags
        assert not {"f", "hyperlinks"} & tags


def test_xlsx_gives_every_name_back() -> None:
    _tags, texts = _member("xl/sharedStrings.xml")
    found = {re.sub("_x005F_", "_", text) for text in texts}
    assert {plain(name) for name in NAMES if name} <= found


@pytest.mark.parametrize("name", NAMES)
def test_a_tree_shows_a_hostile_name_on_one_line(name: str) -> None:
    machine = vm(name, snapshot(name, id="s"))
    drawn = render_tree(machine, inventory(machine), None, NOW, width=1200).decode()
    assert is_harmless(drawn)
    assert len(drawn.splitlines()) == 6
