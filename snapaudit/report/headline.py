"""Headline: the verdict in words. Every format for people opens with it."""

from __future__ import annotations

from typing import NamedTuple

from snapaudit.model.check import Check, Status, is_whole_view
from snapaudit.model.finding import Audit, EndpointCoverage
from snapaudit.model.inventory import CoverageState
from snapaudit.model.plan import Manager
from snapaudit.report.phrases import byte_range, count, moment, size

_NO_REASON = "no reason was given"


def counts(check: Check) -> str:
    """``3 critical, 5 warnings, 1 info``, or that nothing was found."""
    numbers = check.counts
    accepted = sum(one.exemption is not None for one in check.findings)
    parts = [
        f"{numbers.critical:,} critical" if numbers.critical else "",
        count(numbers.warning, "warning") if numbers.warning else "",
        f"{numbers.info:,} info" if numbers.info else "",
        f"{accepted:,} exempt" if accepted else "",
    ]
    return ", ".join(part for part in parts if part) or "no findings"


def view_words(check: Check) -> str:
    """How much was seen: ``all 3 endpoints complete`` or ``view incomplete (UNKNOWN): ...``."""
    total = len(check.coverage)
    complete = sum(one.state is CoverageState.COMPLETE for one in check.coverage)
    if is_whole_view(check.coverage):
        return f"all {total} endpoints complete" if total > 1 else "the endpoint is complete"
    if complete < total or not total:
        return f"view incomplete (UNKNOWN): {complete} of {count(total, 'endpoint')} complete"
    return "view incomplete (UNKNOWN): no virtual machine is visible"


def sentence(check: Check) -> str:
    """The counts and the view in one line, to stand behind the status."""
    return f"{counts(check)}; {view_words(check)}"


def not_seen(coverage: tuple[EndpointCoverage, ...]) -> tuple[str, ...]:
    """Every endpoint that was not seen completely, with its reason; also that none was read."""
    if not coverage:
        return ("no endpoint was read",)
    if is_whole_view(coverage):
        return ()
    spots = tuple(blind_line(one) for one in coverage if one.state is not CoverageState.COMPLETE)
    return spots or ("no virtual machine is visible on any endpoint",)


class Caution(NamedTuple):
    """What every reader has to know of an endpoint."""

    endpoint: str
    word: str
    sentence: str

    @property
    def line(self) -> str:
        """``LAB kvm1: limits may be looser there``."""
        return f"{self.word.upper()} {self.endpoint}: {self.sentence}"


def cautions(coverage: tuple[EndpointCoverage, ...]) -> tuple[Caution, ...]:
    """The cautions of all endpoints, in their order."""
    return tuple(
        Caution(one.endpoint, *caution.split(": ", 1))
        for one in coverage
        for caution in one.cautions
    )


def blind_line(one: EndpointCoverage | Manager) -> str:
    """``hv1 is missing: connection refused``."""
    return f"{one.endpoint} is {one.state}: {one.reason or _NO_REASON}"


def seen(audit: Audit) -> str:
    """When it was audited and how much there was to see."""
    numbers = audit.summary
    things = ", ".join(
        (
            count(numbers.virtual_machines, "virtual machine"),
            count(numbers.snapshots, "snapshot"),
            count(numbers.datastores, "datastore"),
        )
    )
    return f"Audited {moment(audit.audited_at)}: {things}."


def space(audit: Audit) -> str:
    """What snapshots occupy, and what deleting the offered ones gives back."""
    numbers = audit.summary
    gain = byte_range(numbers.reclaimable_bytes)
    return f"Snapshots hold {held(audit)}. Deleting what is offered gives back {gain}."


def held(audit: Audit) -> str:
    """The known size of all snapshots, and how many have none."""
    numbers = audit.summary
    if not numbers.unknown_sizes:
        return size(numbers.snapshot_bytes)
    return f"{size(numbers.snapshot_bytes)} and {numbers.unknown_sizes:,} more of unknown size"


def method(audit: Audit) -> str:
    """Which rules judged, and which were switched off."""
    off = audit.summary.disabled_rules
    tail = f"; switched off: {', '.join(off)}" if off else "; none switched off"
    return f"{count(audit.summary.rules, 'rule')} in force{tail}"


def label(status: Status) -> str:
    """The status as monitoring writes it."""
    return status.upper()
