"""TST-12 for the weekly report: every hostile name through every format, back by a real parser."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import openpyxl
import pytest
from markdown_it import MarkdownIt
from openpyxl.utils.escape import unescape

from snapaudit.report.escape import csv_cell, plain, storable, xlsx_text
from snapaudit.report.formats import WEEKLY_FORMATS, render_weekly
from tests.report.hostile import hostile_names
from tests.report.weeks import named

NAMES = tuple(hostile_names())
_OURS = {
    "html", "head", "meta", "title", "style", "script", "body", "header", "main", "footer", "nav",
    "section", "article", "h1", "h2", "h3", "p", "a", "div", "span", "strong", "em", "code", "ul",
    "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "details",
    "summary", "svg", "desc", "path", "rect", "circle",
}  # fmt: skip


@cache
def document(form: str, name: str) -> bytes:
    return render_weekly(named(name), form, width=400)


def shown(name: str) -> str:
    return " ".join(f"{plain(name)} / {plain(name)}".split())


@pytest.mark.parametrize("form", [one for one in WEEKLY_FORMATS if one not in ("json", "xlsx")])
def test_no_control_or_hidden_character_is_left_in_text(form: str) -> None:
    for name in NAMES:
        text = document(form, name).decode()
        assert all(char.isprintable() or char == "\n" for char in text), name


def _elements(name: str) -> Iterator[Element]:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree: Element = parser.parse(document("html", name).decode())
    for element in tree.iter():
        if isinstance(element.tag, str):
            yield element


def test_the_page_is_strictly_html_of_our_own_tags_and_gives_every_name_back() -> None:
    for name in NAMES:
        texts = set()
        for element in _elements(name):
            assert element.tag.split("}")[-1] in _OURS, name
            assert not [key for key in element.attrib if key.startswith("on") or key == "src"]
            assert element.get("href", "#").startswith("#")
            texts.add(" ".join((element.text or "").split()) if element.tag == "th" else "")
        assert shown(name) in texts, name


def test_csv_gives_every_name_back_in_its_cell() -> None:
    for name in NAMES:
        text = document("csv", name).decode()
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        found = [row for row in rows if row["snapshot_id"] == "s1"]
        assert [row["snapshot_name"] for row in found] == [csv_cell(name)]
        assert [row["vm_name"] for row in found] == [csv_cell(name)]
        assert all(None not in row for row in rows)
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))], name


def test_json_gives_every_name_back() -> None:
    for name in NAMES:
        read = json.loads(document("json", name))
        assert read["schema"] == "snapaudit/weekly@1"
        assert {one["snapshot"]["name"] for one in read["snapshots"]} == {storable(name)}


def _sheet_rows(name: str) -> Iterator[tuple[str, Any]]:
    book = openpyxl.load_workbook(io.BytesIO(document("xlsx", name)), read_only=True)
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                yield sheet.title, cell


@pytest.mark.parametrize("name", NAMES[::3])
def test_xlsx_gives_every_name_back_and_holds_no_formula(name: str) -> None:
    found = set()
    for title, cell in _sheet_rows(name):
        assert cell.data_type != "f"
        if title == "vSnapshot":
            found.add(cell.value)
    written = unescape(xlsx_text(name))
    assert {written, xlsx_text(name)} & found or not name


def test_markdown_holds_no_link_picture_or_markup_of_a_name_and_gives_it_back() -> None:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for name in NAMES:
        cells = [t for t in parser.parse(document("markdown", name).decode()) if t.type == "inline"]
        kinds = {child.type for cell in cells for child in cell.children or ()}
        assert kinds <= {"text", "text_special", "strong_open", "strong_close", "html_inline"}, name
        raw = {
            child.content
            for cell in cells
            for child in cell.children or ()
            if child.type == "html_inline"
        }
        assert raw <= {"<br>"}, name
        texts = {"".join(c.content for c in cell.children or ()).strip() for cell in cells}
        assert f"{plain(name)} / {plain(name)}".strip() in texts, name
