"""Numbers, moments and references in all the ways in which they are written."""

from __future__ import annotations

import xmlrpc.client
from datetime import UTC, datetime

import pytest

from snapaudit.hypervisors.xen import values

NOON = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "20260301T12:30:05Z",
        "20260301T12:30:05",
        "2026-03-01T12:30:05Z",
        "2026-03-01T12:30:05.000Z",
        "20260301T13:30:05+01:00",
        "20260301T07:30:05-05",
        xmlrpc.client.DateTime("20260301T12:30:05Z"),
    ],
)
def test_i10_a_moment_is_utc_however_it_is_written(written: object) -> None:
    assert values.moment(written) == NOON


@pytest.mark.parametrize(
    "written", ["19700101T00:00:00Z", "1970-01-01T00:00:00Z", "", "now", None, "20261301T00:00:00Z"]
)
def test_i10_a_moment_that_is_not_set_is_unknown_and_never_1970(written: object) -> None:
    assert values.moment(written) is None


@pytest.mark.parametrize(("written", "is_"), [("12", 12), (12, 12), ("-1", -1)])
def test_a_number_may_be_a_text(written: object, is_: int) -> None:
    assert values.number(written) == is_


@pytest.mark.parametrize("written", [True, "", "1e9", "9" * 30, None, 1.5, "٣"])
def test_b12_what_is_no_number_is_unknown(written: object) -> None:
    assert values.number(written) is None


@pytest.mark.parametrize("written", ["0", "-1", 0, -1, None])
def test_r8_a_size_that_is_nought_or_less_is_unknown(written: object) -> None:
    assert values.size(written) is None


@pytest.mark.parametrize("written", ["OpaqueRef:NULL", "", None, 7])
def test_a_reference_to_nothing_is_none(written: object) -> None:
    assert values.reference(written) is None
