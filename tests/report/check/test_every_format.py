"""What holds of all formats of a check."""

from __future__ import annotations

import pytest

from snapaudit.report.check.formats import CHECK_FORMATS, render_check
from tests.examples import CHECK_FILES, FOLDER, example_check
from tests.report.check.audits import example, hostile
from tests.report.records import audit_of, checked


@pytest.mark.parametrize(("file", "name"), CHECK_FILES.items())
def test_the_gallery_is_what_the_formats_make_today(file: str, name: str) -> None:
    assert render_check(example_check(), name) == (FOLDER / file).read_bytes(), "run make examples"


def test_the_gallery_has_every_format() -> None:
    assert set(CHECK_FILES.values()) == set(CHECK_FORMATS)


@pytest.mark.parametrize("name", CHECK_FORMATS)
def test_equal_checks_give_equal_bytes(name: str) -> None:
    assert render_check(example(), name) == render_check(example(), name)


@pytest.mark.parametrize("name", CHECK_FORMATS)
def test_the_missing_and_the_partial_endpoint_are_named(name: str) -> None:
    text = render_check(example(), name).decode()
    assert "hv1" in text
    assert "kvm-lab" in text


@pytest.mark.parametrize("name", [name for name in CHECK_FORMATS if name != "json"])
def test_no_control_or_hidden_character_of_a_name_is_left(name: str) -> None:
    text = render_check(hostile(per_snapshot=True), name).decode()
    assert all(char.isprintable() or char == "\n" for char in text)


@pytest.mark.parametrize("name", CHECK_FORMATS)
def test_a_check_of_nothing_is_a_document_too(name: str) -> None:
    assert render_check(checked(audit_of()), name)
