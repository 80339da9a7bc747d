"""Opening: the first lines of a plan: what it would do, whether it may, what one has to know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from rich.console import RenderableType
from rich.text import Text

from snapaudit.model.inventory import CoverageState
from snapaudit.model.plan import Excess, Manager, Plan
from snapaudit.model.units import UnitError, parse_iso_duration
from snapaudit.report.headline import Caution, blind_line
from snapaudit.report.phrases import (
    byte_range,
    count,
    duration,
    moment,
    offset,
    short_duration,
    size,
)
from snapaudit.report.planned import gain, meant, work
from snapaudit.report.terminal import facts, lines, text

_SKEW_TOLD_FROM = 300


def opening(plan: Plan, obstacle: str | None) -> Iterator[RenderableType]:
    """The verdict and what one has to know, then the plan's numbers, its name and its life."""
    yield lines(
        _verdict(plan, obstacle),
        *(text(f"! {line}", "bold red") for line in map(over, plan.excess)),
        *(text(f"! {line}", "bold magenta") for line in _unseen(plan.managers)),
        *(text(f"! {line}", "bold yellow") for line in _cautions(plan.managers)),
    )
    yield facts((*_numbers(plan), *_origin(plan)))


def _verdict(plan: Plan, obstacle: str | None) -> Text:
    chosen = meant(plan.actions)
    said = f"would {work(chosen)}; gives back {byte_range(gain(chosen))}"
    if not chosen:
        word, style, said = "NOTHING TO DO", "bold green", _nothing(plan)
    elif plan.excess:
        word, style = "OVER LIMIT", "bold red"
        said = f"cannot be applied as it is; {said}"
    elif obstacle is None:
        word, style = "READY", "bold green"
        said = f"{said}; can be applied as it is"
    else:
        word, style = "ONLY TO READ", "bold yellow"
        said = f"{said}; cannot be applied: {obstacle}"
    return Text.assemble((word, style), "  ", text(said))


def _nothing(plan: Plan) -> str:
    if plan.actions:
        return f"no action is left: {count(len(plan.actions), 'action')} skipped"
    if plan.refusals:
        return "whatever a finding asks for, a guard forbids"
    return "no finding offers a change"


def over(one: Excess) -> str:
    """``over max_bytes by 200 GiB: 700 GiB to copy, 500 GiB allowed``."""
    much = one.found - one.allowed
    if one.limit == "max_bytes":
        numbers = f"{size(one.found)} to copy, {size(one.allowed)} allowed"
        return f"over {one.limit} by {size(much)}: {numbers}"
    return f"over {one.limit} by {much:,}: {one.reason}"


def _unseen(managers: tuple[Manager, ...]) -> Iterator[str]:
    for one in managers:
        if one.state is not CoverageState.COMPLETE:
            yield blind_line(one)


def _cautions(managers: tuple[Manager, ...]) -> Iterator[str]:
    for one in managers:
        for word, sentence in (("lab", one.lab), ("unverified", one.connection)):
            if sentence:
                yield Caution(one.endpoint, word, sentence).line
        skew = one.clock_skew_seconds
        if skew is not None and abs(skew) > _SKEW_TOLD_FROM:
            yield Caution(one.endpoint, "clock", f"its clock is {offset(skew)} ours").line


def _numbers(plan: Plan) -> Iterator[tuple[str, str]]:
    chosen = meant(plan.actions)
    if chosen:
        needs = max(one.needs_bytes for one in chosen)
        copied = size(sum(one.merges_bytes for one in chosen))
        room = f"up to {size(needs)} free while one merge runs" if needs else "no free space"
        yield "needs", f"{room}; {copied} to copy in all" if needs else room
    skipped = len(plan.actions) - len(chosen)
    refused, left = len(plan.refusals), count(len(plan.kept), "snapshot")
    yield "decisions", f"{len(chosen):,} to apply, {skipped:,} to skip"
    yield "besides", f"{refused:,} refused by a guard, {left} kept"


def _origin(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "plan", f"{plan.id}, made {moment(plan.planned_at)} by {plan.author}"
    yield (
        "expires",
        f"{moment(plan.expires_at)} (after {duration(plan.expires_at - plan.planned_at)})",
    )
    if plan.reviewer is not None:
        when = f" {moment(plan.reviewed_at)}" if plan.reviewed_at is not None else ""
        yield "signed off", f"by {plan.reviewer}{when}"
    limits = plan.limits
    yield (
        "limits",
        (
            f"older than {_words(limits.min_age)}; at most {count(limits.max_actions, 'action')}, "
            f"{limits.max_share} of all snapshots, {size(limits.max_bytes)} to copy; "
            f"leaving {limits.min_free} free; {limits.window or 'at any time'}"
        ),
    )


def _words(iso: str) -> str:
    """A duration as a plan writes it, in people's words; as it is where it cannot be read."""
    try:
        span = parse_iso_duration(iso)
    except UnitError:
        return iso
    return short_duration(span) if span < timedelta(minutes=1) else duration(span)
