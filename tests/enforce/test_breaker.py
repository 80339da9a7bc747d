from __future__ import annotations

import pytest

from snapaudit.enforce.breaker import Breaker
from snapaudit.model.journal import Event
from snapaudit.model.outcome import Outcome
from tests.builders import NOW
from tests.enforce.planned import action


def outcome(event: Event) -> Outcome:
    return Outcome(
        action=action(),
        event=event,
        guard=None,
        reason="",
        freed_bytes=None,
        started_at=NOW,
        finished_at=NOW,
        task_id=None,
    )


def after(planned: int, *events: Event) -> Breaker:
    breaker = Breaker(planned)
    for event in events:
        breaker.note(outcome(event))
    return breaker


D, F, R, G = Event.DONE, Event.FAILED, Event.REFUSED, Event.ALREADY_GONE


@pytest.mark.parametrize(
    ("planned", "events", "is_open"),
    [
        (10, (D, D, D), False),
        (10, (F,), False),
        (10, (F, F), True),
        (10, (F, R, F), True),
        (10, (F, D, F), True),
        (30, (F, D, F, D), False),
        (30, (F, F), True),
        (30, (F, D, F, D, F, D, F, D, F), False),
        (30, (F, D, F, D, F, D, F, D, F, D, F), True),
        (10, (R, R, R, G, G), False),
    ],
)
def test_grd_18_failures_open_it_two_in_a_row_or_a_fifth_of_all(
    planned: int, events: tuple[Event, ...], is_open: bool
) -> None:
    assert after(planned, *events).is_open is is_open


def test_grd_18_one_unknown_outcome_opens_it() -> None:
    assert after(100, Event.UNKNOWN).reason == "what became of web01/before-upgrade is unknown"


def test_first_reason_stays() -> None:
    breaker = Breaker(5)
    breaker.open("first")
    breaker.open("second")
    assert breaker.reason == "first"
