"""Examination: what works at an endpoint and what does not, each with its repair.

It is beside the line, not in it: endpoints → examine → *Examination*.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

EXAMINATION_SCHEMA = "snapaudit/examination@1"


class ProbeState(StrEnum):
    """How something that was looked at is.

    ``warning``: it works, and a person should know. ``unknown``: nobody could look.
    """

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Where a platform's manager listens. ``is_tls``: it begins with a TLS handshake.

    ``checks_itself``: the platform's library decides whether the certificate is believed.
    """

    host: str
    port: int
    is_tls: bool = True
    checks_itself: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that was looked at: what was seen, and what to do where that is not well."""

    name: str
    state: ProbeState
    sentence: str
    repair: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """All that was looked at of one endpoint, in the order in which one thing needs another."""

    endpoint: str
    hypervisor: str
    probes: tuple[Probe, ...]

    @property
    def is_well(self) -> bool:
        """Whether nothing failed and nothing is unknown; warnings do not count."""
        bad = (ProbeState.FAILED, ProbeState.UNKNOWN)
        return bool(self.probes) and all(probe.state not in bad for probe in self.probes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examinations:
    """The examined endpoints, by name."""

    schema: str = EXAMINATION_SCHEMA
    examined_at: datetime
    endpoints: tuple[Examination, ...]


SKEW = 60.0
"""Seconds by which a server's clock may be off before it is told."""


def clock(off: float | None) -> Probe:
    """What is said of a server's clock that is so many seconds ahead of ours; None: not told."""
    if off is None:
        said = "its clock was not told"
        return Probe(name="clock", state=ProbeState.UNKNOWN, sentence=said)
    said = f"its clock is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} ours"
    if abs(off) <= SKEW:
        return Probe(name="clock", state=ProbeState.OK, sentence=said)
    return Probe(
        name="clock",
        state=ProbeState.WARNING,
        sentence=said,
        repair="let both follow the same time servers: ages and plans are judged by clocks",
    )


def counted(number: int, noun: str) -> str:
    """``1 host``, ``1,204 hosts``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
