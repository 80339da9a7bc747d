"""Exit codes, as `docs/commands.md` lists them."""

from __future__ import annotations

from enum import IntEnum

from snapaudit.enforce.ground import STOPPED
from snapaudit.errors import (
    HypervisorError,
    InputError,
    JournalError,
    RefusedError,
    SnapauditError,
    UsageError,
)
from snapaudit.model.finding import Audit, EndpointCoverage
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.model.journal import Event
from snapaudit.model.outcome import RunReport
from snapaudit.redaction import redacted


class Exit(IntEnum):
    """What every command but ``check`` ends with."""

    DONE = 0
    FAILED = 1
    WRONG_INPUT = 2
    INCOMPLETE = 3
    REFUSED = 4
    ACTION_FAILED = 5
    INTERRUPTED = 130


CHECK_UNKNOWN = 3


def usage_exit(*, is_check: bool) -> int:
    """A wrong option. Under monitoring 2 would page somebody for a typing error."""
    return CHECK_UNKNOWN if is_check else Exit.WRONG_INPUT


def exit_of(error: Exception, *, is_check: bool) -> tuple[str, int]:
    """The line to print for an error, and the code to end with."""
    match error:
        case UsageError() | InputError():
            return str(error), usage_exit(is_check=is_check)
        case RefusedError() | JournalError():
            return str(error), CHECK_UNKNOWN if is_check else Exit.REFUSED
        case HypervisorError() | SnapauditError():
            return str(error), CHECK_UNKNOWN if is_check else Exit.FAILED
        case OSError(strerror=str(reason)):
            place = f"{error.filename}: " if error.filename else "the result cannot be written: "
            message = redacted(f"{place}{reason}")
            return message, CHECK_UNKNOWN if is_check else Exit.FAILED
        case _:
            message = redacted(f"internal error: {type(error).__name__}: {error}")
            return message, CHECK_UNKNOWN if is_check else Exit.FAILED


def view_exit(seen: Audit | tuple[Inventory, ...]) -> int:
    """Done, or done with an incomplete view."""
    if isinstance(seen, Audit):
        return coverage_exit(seen.coverage)
    return _states_exit([inventory.coverage.state for inventory in seen])


def coverage_exit(coverage: tuple[EndpointCoverage, ...]) -> int:
    """Done, or done with an incomplete view."""
    return _states_exit([entry.state for entry in coverage])


def _states_exit(states: list[CoverageState]) -> int:
    is_whole = all(state is CoverageState.COMPLETE for state in states)
    return Exit.DONE if is_whole and states else Exit.INCOMPLETE


def run_exit(report: RunReport) -> int:
    """How a run ended: the worst of what became of its actions, and whether it was interrupted."""
    events = {outcome.event for outcome in report.outcomes}
    if report.stopped_because == STOPPED:
        return Exit.INTERRUPTED
    if events & {Event.FAILED, Event.UNKNOWN}:
        return Exit.ACTION_FAILED
    if report.stopped_because is not None and report.stopped_because.startswith("not settled"):
        return Exit.ACTION_FAILED
    if Event.REFUSED in events or report.not_started:
        return Exit.REFUSED
    return Exit.DONE
