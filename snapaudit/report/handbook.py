"""Handbook: the page about rules, facts and operators, with every rule in it, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from snapaudit.model.policy import SubjectKind
from snapaudit.model.rulebook import CaseResult, Chapter, FactEntry, Handbook, ResolvedEnvironment
from snapaudit.report import modes
from snapaudit.report.escape import markdown_cell, markdown_code
from snapaudit.report.phrases import words
from snapaudit.report.sections import line, section

_PAGE = Path(__file__).parent / "templates" / "handbook.md"
BOUNDS = {
    "duration": "`3d`, `12h`, `1d12h`: s, m, h, d or w",
    "size": "`20GB`, `20GiB`: GB counts in thousands, GiB in 1024s",
    "ratio": "`85%`",
    "count": "`3`",
    "boolean": "`true`, `false`",
    "text": "a text; a list for `in`, `not_in`; a pattern for `matches`, `not_matches`",
    "texts": (
        "a text; a list for `has_any`, `has_none`; a pattern for `any_matches`, `none_matches`"
    ),
}


def render(book: Handbook) -> bytes:
    """The page: its prose from the template, the rest from the book."""
    page = _PAGE.read_text(encoding="utf-8")
    parts = {
        "subjects": ", ".join(f"`{kind}`" for kind in SubjectKind),
        "operators": "\n".join(map(line, _operators(book))),
        "index": "\n".join(map(line, _index(book.chapters))),
        "chapters": "\n".join(text for one in book.chapters for text in _chapter(one)).strip(),
        "facts": "\n".join(text for kind in SubjectKind for text in _facts(kind, book)).strip(),
    }
    for name, text in parts.items():
        page = page.replace(f"{{{{ {name} }}}}", text)
    return page.encode()


def _operators(book: Handbook) -> Iterator[tuple[str, str, str]]:
    for kind, names in book.operators:
        yield kind, BOUNDS[kind], ", ".join(f"`{name}`" for name in names)


def _index(chapters: Iterable[Chapter]) -> Iterator[tuple[str, ...]]:
    for one in chapters:
        rule = one.rule
        name = f"[{markdown_cell(rule.id)}](#{rule.id})"
        yield name, words(rule.subject), modes.brief(rule), markdown_cell(rule.title)


def _chapter(one: Chapter) -> Iterator[str]:
    rule = one.rule
    yield from (f"### {markdown_cell(rule.id)}", "", f"**{markdown_cell(rule.title)}.**", "")
    yield from (markdown_cell(rule.why.strip()), "")
    yield from (f"To do: {markdown_cell(rule.fix.strip())}", "")
    yield f"- About: {words(rule.subject)}. Remedy: {modes.remedy(rule)}."
    yield f"- Mode {modes.sentence(rule)}."
    if rule.honours_expiry:
        yield "- Waits for a last day in the snapshot's own text, where the site allows it."
    if one.resolved.unless is not None:
        yield f"- Unless {markdown_code(one.resolved.unless.written)}."
    yield from section("Levels", _levels(one.resolved.environments), 4)
    yield from section("Cases", _cases(one.cases), 4)
    yield ""


def _levels(environments: Iterable[ResolvedEnvironment]) -> Iterator[tuple[str, str, str]]:
    yield ("Environment", "Level", "Condition")
    for environment in environments:
        for level in environment.levels:
            name = f"`{environment.name}`"
            yield name, str(level.severity), markdown_code(level.condition.written)


def _cases(cases: Iterable[CaseResult]) -> Iterator[tuple[str, str, str]]:
    yield ("Given", "In", "Comes out")
    for case in cases:
        environment = markdown_cell(case.environment or "default")
        yield markdown_code(case.given), environment, " and ".join(case.expected)


def _facts(kind: SubjectKind, book: Handbook) -> Iterator[str]:
    yield from section(f"Facts about {_article(kind)}", _fact_rows(kind, book.facts), 3)


def _article(kind: SubjectKind) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {words(kind)}"


def _fact_rows(kind: SubjectKind, facts: Iterable[FactEntry]) -> Iterator[tuple[str, str, str]]:
    yield ("Fact", "Is a", "What it says")
    for fact in facts:
        if fact.subject is kind:
            told = f", told a `{fact.argument}`" if fact.argument else ""
            yield f"`{fact.name}`", f"{fact.type}{told}", _sentence(fact)


def _sentence(fact: FactEntry) -> str:
    """The docstring on one line; it is our own Markdown already."""
    said = " ".join(fact.sentence.replace("``", "`").split())
    listed = ", ".join(f"`{word}`" for word in fact.words or ())
    return f"{said} One of {listed}." if listed else said
