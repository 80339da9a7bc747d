"""Gathering: what the history and the state folder add to the last audit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from snapaudit.app.weekly import allowances
from snapaudit.app.weekly.deeds import deeds
from snapaudit.app.weekly.making import Remembered, held_against
from snapaudit.enforce.holds import Holds, read_holds
from snapaudit.enforce.journal import Record, read_journal
from snapaudit.enforce.state import State
from snapaudit.errors import JournalError
from snapaudit.history.store import Store
from snapaudit.model.finding import Audit
from snapaudit.model.weekly import Allowance


def remembered(
    audit: Audit, at: datetime, store: Store | None, state: State, *, fault: str | None = None
) -> Remembered:
    """Everything beside the audit itself; without a store no more than the state folder has.

    ``at`` is the date under which the audit was recorded, which need not be when it was made.
    ``fault`` says why there is no store.
    """
    told = _told(store, at) if store is not None else Remembered()
    previous = held_against(told.runs, at)
    since = previous.audited_at if previous is not None else None
    journal, complaint = _journal(state)
    holds = read_holds(state)
    return replace(
        told,
        deeds=deeds(state, journal, since) if journal is not None else (),
        allowances=allowed(audit, holds),
        holds=holds,
        remarks=(*_of_history(told, at, fault), *_of_state(complaint, holds)),
    )


def _told(store: Store, at: datetime) -> Remembered:
    """What the history says up to a moment."""
    runs = store.runs(until=at)
    previous = held_against(runs, at)
    return Remembered(
        runs=runs,
        series={(one.endpoint, one.id): one for one in store.datastores(until=at)},
        forecasts={(one.endpoint, one.id): one for one in store.forecasts(at)},
        diff=store.changes(previous.audited_at, at) if previous is not None else None,
        rules_digest=runs[0].rules_digest if runs else "",
    )


def _journal(state: State) -> tuple[Record | None, str | None]:
    try:
        return read_journal(state), None
    except JournalError as error:
        return None, str(error)


def allowed(audit: Audit, holds: Holds) -> tuple[Allowance, ...]:
    """The exemptions that were in force in the audit, and the holds as they are."""
    now = audit.audited_at
    exemptions = tuple(allowances.exemption(one, now) for one in audit.exemptions)
    return (*exemptions, *allowances.holds(holds.entries, now))


def _of_history(told: Remembered, at: datetime, fault: str | None) -> Iterator[str]:
    if fault is not None:
        yield f"Earlier runs cannot be read, so nothing is compared or forecast: {fault}"
    elif not told.runs or told.runs[-1].audited_at >= at:
        yield "No earlier run is remembered: nothing can be compared and nothing forecast yet."
    elif told.runs[0].audited_at < at:
        yield (
            f"The history ends on {told.runs[0].audited_at:%Y-%m-%d %H:%M} UTC, before the run "
            "that this report is about: what it holds is complete, comparisons are older."
        )


def _of_state(complaint: str | None, holds: Holds) -> Iterator[str]:
    if complaint is not None:
        yield f"What was deleted is not told, since the journal cannot be read: {complaint}"
    if holds.unreadable is not None:
        yield f"Everything is held, since the holds cannot be read: {holds.unreadable}"
