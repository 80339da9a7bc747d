"""Examinations for the terminal: endpoint by endpoint, what was seen, and each repair below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from snapaudit.model.examination import Examination, Examinations, Probe, ProbeState
from snapaudit.report.phrases import count
from snapaudit.report.terminal import NAME_COLUMNS, draw, grid, lines, text

_STYLES = {
    ProbeState.OK: "green",
    ProbeState.WARNING: "yellow",
    ProbeState.FAILED: "bold red",
    ProbeState.UNKNOWN: "bold magenta",
}


def render_examinations(found: Examinations, *, width: int, colour: bool) -> bytes:
    """A table for each endpoint, and one line in the end that counts those that are well."""
    return draw(_parts(found), width=width, colour=colour)


def _parts(found: Examinations) -> Iterator[RenderableType]:
    for one in found.endpoints:
        yield _title(one)
        yield _probes(one.probes)
        yield Text()
    well = sum(one.is_well for one in found.endpoints)
    yield text(f"{count(len(found.endpoints), 'endpoint')} examined, {well} well")


def _title(one: Examination) -> Text:
    verdict = ("well", "bold green") if one.is_well else ("not well", "bold red")
    said = f": {tally}" if (tally := _tally(one.probes)) else ""
    name = text(f"{one.endpoint} ({one.hypervisor})", "bold", NAME_COLUMNS)
    return Text.assemble(name, "  ", verdict, said)


def _tally(probes: tuple[Probe, ...]) -> str:
    """``1 failed, 2 warning`` of what is not ok."""
    states = Counter(probe.state for probe in probes)
    bad = (ProbeState.FAILED, ProbeState.UNKNOWN, ProbeState.WARNING)
    return ", ".join(f"{states[state]} {state}" for state in bad if states[state])


def _probes(probes: tuple[Probe, ...]) -> Table:
    table = grid("State", "What", "Seen")
    for probe in probes:
        seen = [text(probe.sentence)]
        seen += [text(f"→ {probe.repair}", "cyan")] if probe.repair else []
        table.add_row(text(probe.state, _STYLES[probe.state]), text(probe.name), lines(*seen))
    return table
