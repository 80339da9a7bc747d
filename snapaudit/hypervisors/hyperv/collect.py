"""Reads one Hyper-V endpoint: its first host, then the other nodes side by side; translates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.hyperv import nodes, parsing
from snapaudit.hypervisors.hyperv.address import parse_address
from snapaudit.hypervisors.hyperv.asking import ask_all
from snapaudit.hypervisors.hyperv.cluster import Reading
from snapaudit.hypervisors.hyperv.rows import Answer, HostRow
from snapaudit.hypervisors.hyperv.runner import Argument, Runner
from snapaudit.hypervisors.hyperv.translate import inventory
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.ports import Progress, Step

OPTIONS = {
    "nodes": "auto (those the first host tells of), none, or names with commas between them",
    "sizes": "false: leave disk files alone; sizes and chains are unknown then",
}
"""Endpoint options of what is read."""

Runners = Callable[[str], Runner]
"""Makes the runner of a host from its host name, in the form of the endpoint's own URL."""

# Of the endpoint's deadline; the rest is for translating, so that a node that hangs is a hole.
_SHARE_FOR_NODES = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one host answered, whether its connection was verified, and how its clock goes.

    ``asked`` is the host name by which it was reached.
    """

    asked: str
    answer: Answer
    host: HostRow
    is_verified: bool
    clock_skew_seconds: float | None


def collect(runners: Runners, endpoint: Endpoint, now: datetime, progress: Progress) -> Inventory:
    """The whole endpoint as of now. A node that does not answer is a gap; the first host must.

    Raises HypervisorError when the first host cannot be read, UsageError for a wrong option.
    """
    reading = read(runners, endpoint, now, progress)
    progress(Step(endpoint=endpoint.name, phase="measuring", seen=len(reading.answers)))
    return inventory(reading, endpoint=endpoint, collected_at=now)


def read(
    runners: Runners,
    endpoint: Endpoint,
    now: datetime,
    progress: Progress,
    *,
    only: frozenset[str] | None = None,
) -> Reading:
    """What the first host and the other nodes answered; errors as with `collect`.

    ``only``: read the disk files of these machines alone, and look for no unused files.
    """
    started = time.monotonic()
    has_disks = endpoint.options.get("sizes", True) is not False
    argument = _argument(has_disks=has_disks, only=only)

    def ask(name: str) -> Heard:
        passed = timedelta(seconds=time.monotonic() - started)
        return _hear(name, runners(name), argument, endpoint.name, now + passed)

    progress(Step(endpoint=endpoint.name, phase="connecting"))
    first = ask(parse_address(endpoint.url).host)
    others = nodes.others(endpoint, first.host)
    until = started + endpoint.deadline.total_seconds() * _SHARE_FOR_NODES
    heard, failed = _others(ask, others, until, endpoint, progress)
    everyone = {first.host.name.lower(): first}
    for one in heard:
        everyone.setdefault(one.host.name.lower(), one)
    return Reading(
        answers={name: one.answer for name, one in everyone.items()},
        reached={name: one.asked for name, one in everyone.items()},
        failed={node: why for node, why in failed.items() if node not in everyone},
        clock_skew_seconds=_worst([one.clock_skew_seconds for one in everyone.values()]),
        has_disks=has_disks,
        only=only,
        is_verified=all(one.is_verified for one in everyone.values()),
    )


def _argument(*, has_disks: bool, only: frozenset[str] | None) -> dict[str, Argument]:
    argument: dict[str, Argument] = {"sizes": has_disks}
    if only is not None:
        argument |= {"vms": [*sorted(only)], "folders": False}
    return argument


def _others(
    ask: Callable[[str], Heard],
    others: nodes.Nodes,
    until: float,
    endpoint: Endpoint,
    progress: Progress,
) -> tuple[list[Heard], dict[str, str]]:
    """Every other node: what it said, in the order of their names, or why it said nothing."""
    found: dict[str, Heard] = {}
    seconds = endpoint.deadline.total_seconds() * _SHARE_FOR_NODES
    failed = dict.fromkeys(others.hosts, f"it did not answer within {seconds:g} s") | dict(
        others.refused
    )
    total = len(others.hosts) + 1
    for node, said in ask_all(lambda name: ask(others.hosts[name]), others.hosts, until):
        progress(Step(endpoint=endpoint.name, phase="reading", seen=len(found) + 1, total=total))
        if isinstance(said, Heard):
            found[node] = said
            del failed[node]
        elif isinstance(said, HypervisorError):
            failed[node] = str(said)
        else:
            raise said
    return [found[node] for node in sorted(found)], failed


def _hear(
    name: str, runner: Runner, argument: dict[str, Argument], endpoint: str, now: datetime
) -> Heard:
    """Run the collecting script on one host. ``now`` is our time as the run begins."""
    asked_at = time.monotonic()
    with closing(runner):
        stamped = _Stamped(runner.run("collect", argument))
        answer = parsing.answer(stamped, f"{endpoint}: {runner.host}")
        is_verified = runner.is_verified
    host = answer.host
    if host is None:
        raise HypervisorError(f"{endpoint}: {runner.host}: no row says which host it is")
    waited = timedelta(seconds=(stamped.first_at or asked_at) - asked_at)
    return Heard(
        asked=name,
        answer=answer,
        host=replace(host, name=host.name or runner.host),
        is_verified=is_verified,
        clock_skew_seconds=skew(host.now, now, now + waited),
    )


class _Stamped(Iterator[str]):
    """Lines as they come; the moment of the first, which tells the host's clock, is kept."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.first_at: float | None = None

    def __next__(self) -> str:
        line = next(self._lines)
        if self.first_at is None:
            self.first_at = time.monotonic()
        return line

    def close(self) -> None:
        """End the run on the host, where not all lines were taken."""
        close: Callable[[], None] | None = getattr(self._lines, "close", None)
        if close is not None:
            close()


def skew(theirs: datetime | None, asked: datetime, heard: datetime) -> float | None:
    """How far their clock is off at least, in whole seconds: plus when it is fast.

    They read it between our asking and our hearing; within that time it may be as right as ours.
    """
    if theirs is None:
        return None
    nearest = min(max(theirs, asked), heard)
    return float(round((theirs - nearest).total_seconds()))


def _worst(skews: list[float | None]) -> float | None:
    """The clock that is furthest off; None when one was not told: it may be any."""
    known = [skew for skew in skews if skew is not None]
    return max(known, key=abs) if len(known) == len(skews) else None
