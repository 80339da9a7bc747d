"""What people wrote so that something stays: a date ends it, what is unclear does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from snapaudit.hypervisors.vsphere import optout
from snapaudit.model.inventory import Attribute
from tests.builders import NOW


def kept(text: str) -> list[str]:
    return list(optout.in_texts([("its notes", text)], NOW))


def attribute(name: str, value: str) -> list[str]:
    return list(optout.in_attributes([Attribute(name=name, value=value)], NOW))


@pytest.mark.parametrize(
    "text",
    [
        "keep-until: 2026-06-02",
        "Keep until 2026-06-01",
        "keep_until=02.06.2026.",
        "KEEP UNTIL 2026-06-01T12:00:01+00:00",
        "keep until 2026-06-01, ask Ada",
    ],
)
def test_inv_08_a_date_to_come_protects(text: str) -> None:
    (found,) = kept(text)
    assert found.startswith("keep-until: its notes asks to keep it until")


def test_inv_08_a_day_ends_where_it_ends_last() -> None:
    places = [("its notes", "keep until 2026-05-31")]
    assert list(optout.in_texts(places, NOW - timedelta(seconds=1)))
    assert not list(optout.in_texts(places, NOW))


@pytest.mark.parametrize(
    "text", ["keep until", "keep until next week", "keep-until 2026-13-01", "keep until 9999-12-31"]
)
def test_inv_07_a_date_that_cannot_be_read_protects(text: str) -> None:
    assert len(kept(text)) == 1


@pytest.mark.parametrize(
    "text", ["keep-until 2026-05-30", "keep until 30.05.2026", "kept for long", "until 2030-01-01"]
)
def test_a_date_that_is_over_and_other_words_do_not(text: str) -> None:
    assert kept(text) == []


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("keep-until", "2027-01-01", "keep-until"),
        ("Keep Until", "when it is done", "keep-until"),
        ("keep-until", "2020-01-01", None),
        ("keep-until", "  ", None),
        ("notes", "keep until 2027-01-01", "keep-until"),
        ("snapaudit:hold", "yes", "hold"),
        ("snapaudit-hold", "until we know", "hold"),
        ("snapaudit:hold", "no", None),
        ("snapaudit:hold", "", None),
        ("notes", "snapaudit:hold", "hold"),
        ("owner", "Ada", None),
    ],
)
def test_inv_08_custom_attributes_keep_by_name_or_value(
    name: str, value: str, word: str | None
) -> None:
    assert [text.partition(":")[0] for text in attribute(name, value)] == ([word] if word else [])
