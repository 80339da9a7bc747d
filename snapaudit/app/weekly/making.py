"""Make the weekly report of an audit and of all that is remembered. Pure: nothing is read here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from snapaudit import __version__
from snapaudit.app.weekly.listing import listed
from snapaudit.app.weekly.numbers import key_numbers
from snapaudit.app.weekly.parts import owner_parts, total
from snapaudit.app.weekly.shelves import outlooks
from snapaudit.enforce.holds import Holds
from snapaudit.model.check import verdict
from snapaudit.model.finding import Audit
from snapaudit.model.history import DatastoreSeries, Diff, RunRecord
from snapaudit.model.inventory import Gap, Inventory
from snapaudit.model.owner import OWNER_MARKS, OwnerMark
from snapaudit.model.past import DatastoreKey, Forecast
from snapaudit.model.weekly import Allowance, Deed, Method, Unseen, WeeklyReport

NEARLY_A_WEEK = timedelta(days=6)
_HELD_BASIS = (
    "sizes of deltas, memory and internal snapshots as the platform tells them; what has none is "
    "counted apart"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What earlier runs and the state folder hold, with the last run among ``runs``, newest first.

    ``remarks`` are sentences about what could not be remembered.
    """

    runs: tuple[RunRecord, ...] = ()
    series: Mapping[DatastoreKey, DatastoreSeries] = field(default_factory=dict)
    forecasts: Mapping[DatastoreKey, Forecast] = field(default_factory=dict)
    diff: Diff | None = None
    deeds: tuple[Deed, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    holds: Holds = field(default_factory=Holds)
    rules_digest: str = ""
    remarks: tuple[str, ...] = ()


def held_against(runs: tuple[RunRecord, ...], at: datetime) -> RunRecord | None:
    """The run that a report of that moment is held against: the newest that is about a week older.

    Where all are younger, the oldest of those: a first week is held against its beginning.
    """
    earlier = [run for run in runs if run.audited_at < at]
    about_a_week = (run for run in earlier if run.audited_at <= at - NEARLY_A_WEEK)
    return next(about_a_week, earlier[-1] if earlier else None)


def weekly(
    audit: Audit, remembered: Remembered, marks: tuple[OwnerMark, ...] = OWNER_MARKS
) -> WeeklyReport:
    """The report of the last run; equal arguments give an equal report."""
    snapshots = listed(audit, marks, remembered.holds)
    back = total(one.snapshot.reclaimable_bytes for one in snapshots if one.is_offered)
    previous = held_against(remembered.runs, audit.audited_at)
    return WeeklyReport(
        reported_at=audit.audited_at,
        previous_at=previous.audited_at if previous is not None else None,
        check=verdict(audit),
        virtual_machines=audit.summary.virtual_machines,
        unknown_sizes=audit.summary.unknown_sizes,
        back=back,
        numbers=key_numbers(audit, previous, remembered.runs),
        changes=remembered.diff,
        stores=outlooks(audit, snapshots, remembered.series, remembered.forecasts),
        snapshots=snapshots,
        owners=owner_parts(snapshots),
        deeds=remembered.deeds,
        allowances=remembered.allowances,
        undetermined=audit.undetermined,
        unseen=tuple(_unseen(inventory) for inventory in audit.inventories),
        method=_method(audit, remembered, back.basis),
        remarks=remembered.remarks,
    )


def _unseen(inventory: Inventory) -> Unseen:
    return Unseen(
        endpoint=inventory.endpoint,
        gaps=inventory.gaps,
        doubts=tuple(_doubts(inventory)),
        blind_spots=inventory.blind_spots,
    )


def _doubts(inventory: Inventory) -> Iterator[Gap]:
    for store in inventory.datastores:
        subject = f"datastore {store.name}"
        if not store.accessible:
            yield Gap(subject=subject, reason="it is not accessible")
        if store.stale_reason is not None:
            reason = f"the list of its files may be old: {store.stale_reason}"
            yield Gap(subject=subject, reason=reason)


def _method(audit: Audit, remembered: Remembered, back_basis: str) -> Method:
    runs = remembered.runs
    return Method(
        tool_version=__version__,
        rules_digest=remembered.rules_digest,
        rules=audit.summary.rules,
        disabled_rules=audit.summary.disabled_rules,
        runs=len(runs),
        first_run_at=runs[-1].audited_at if runs else None,
        held_basis=_HELD_BASIS,
        back_basis=back_basis,
    )
