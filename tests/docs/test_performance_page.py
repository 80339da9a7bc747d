"""The page about performance is made of what the benchmarks print."""

from __future__ import annotations

import importlib
import re

from tests.bench import page
from tests.bench.__main__ import MODULES
from tests.docs.test_docs import ROOT

PAGE = ROOT / "docs/performance.md"


def test_page_has_the_heading_and_sections_of_benchmarks_alone() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.startswith(page.HEADING)
    named = re.findall(r"^## (\w+)$", text, re.MULTILINE)
    assert named == [name for name in MODULES if name in named]
    assert text == page.page(text, {}, MODULES)


def test_renewing_one_section_leaves_the_others_as_they_were() -> None:
    first = page.page("", {"rules": "old rules\n", "startup": "old start\n"}, MODULES)
    again = page.page(first, {"rules": "new rules\n"}, MODULES)
    assert again == first.replace("old rules", "new rules")
    assert again.index("## startup") < again.index("## rules")


def test_section_names_benchmark_machine_and_day() -> None:
    module = importlib.import_module("tests.bench.startup")
    made = page.section(module, "row   1.0 s\n", "one machine", "2026-06-01")
    assert "On 2026-06-01: one machine." in made
    assert "```\nrow   1.0 s\n```" in made
    assert made.startswith("How long the program takes")
    assert re.search(r"\d+ cores, \d+ GiB of memory", page.machine())
