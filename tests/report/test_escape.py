from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from snapaudit.report.escape import columns, csv_cell, markdown_cell, plain, shorten, storable


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("before-upgrade", "before-upgrade"),
        ("a\nb", "a⏎b"),
        ("\x1b[31m", "␛[31m"),
        ("\x9b31m", "\\u009b31m"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("a\u200bb", "a\\u200bb"),
        ("a\u00a0b", "a b"),
        ("⚠\ufe0f", "⚠"),
        ("\udc80", "\\udc80"),
        ("テスト", "テスト"),
    ],
)
def test_what_commands_or_hides_is_written_out(raw: str, shown: str) -> None:
    assert plain(raw) == shown


def test_two_names_that_look_alike_are_told_apart() -> None:
    assert plain("web01") != plain("web01\u200b") != plain("web\u206001")


@given(some.text(alphabet=some.characters()))
def test_plain_text_is_printable_and_stays_as_it_is(raw: str) -> None:
    once = plain(raw)
    assert once.isprintable()
    assert plain(once) == once
    assert once.encode().decode() == once


@given(some.text(max_size=80), some.integers(min_value=1, max_value=40))
def test_a_shortened_name_fits_its_columns(raw: str, limit: int) -> None:
    assert columns(shorten(raw, limit)) <= limit


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    assert shorten("before-upgrade-of-erp-2026-03-02", 16) == "before-u…6-03-02"


def test_wide_characters_take_two_columns() -> None:
    assert columns("快照") == 4
    assert shorten("快照测试快照测试", 8) == "快照…试"


@pytest.mark.parametrize("raw", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "  =1", "\uff1d1"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(raw: str) -> None:
    assert csv_cell(raw).startswith("'")


def test_a_harmless_cell_stays_as_it_is() -> None:
    assert csv_cell("web01 = production") == "web01 = production"


def test_markdown_leaves_nothing_that_is_markup() -> None:
    assert markdown_cell("<b>|[a](x)") == "&lt;b&gt;\\|\\[a\\](x)"
    assert markdown_cell("http://x.example") == "http\\://x.example"


def test_storable_text_changes_nothing_but_lone_surrogates() -> None:
    assert storable("ü\u200b\udc80") == "ü\u200b\\udc80"
