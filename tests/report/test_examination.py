"""Examinations at the terminal."""

from __future__ import annotations

from snapaudit.model.examination import Examination, Examinations, Probe, ProbeState
from snapaudit.report.examination import render_examinations
from tests.builders import NOW


def probe(state: ProbeState = ProbeState.OK, sentence: str = "all is well") -> Probe:
    repair = None if state is ProbeState.OK else "mend it"
    return Probe(name="login", state=state, sentence=sentence, repair=repair)


def page(*probes: Probe, colour: bool = False) -> str:
    one = Examination(endpoint="vc1", hypervisor="vsphere", probes=probes)
    found = Examinations(examined_at=NOW, endpoints=(one,))
    return render_examinations(found, width=80, colour=colour).decode()


def test_states_are_counted_the_worst_first() -> None:
    shown = page(probe(), probe(ProbeState.WARNING), probe(ProbeState.FAILED))
    assert "vc1 (vsphere)  not well: 1 failed, 1 warning" in shown
    assert shown.count("→ mend it") == 2
    assert shown.endswith("1 endpoint examined, 0 well\n")


def test_warnings_are_well_and_unknown_is_not() -> None:
    assert "vc1 (vsphere)  well: 1 warning" in page(probe(ProbeState.WARNING))
    assert "not well: 1 unknown" in page(probe(ProbeState.UNKNOWN))


def test_nothing_looked_at_is_not_well() -> None:
    assert "not well" in page()


def test_inv_24_foreign_words_command_nothing() -> None:
    shown = page(probe(sentence="\x1b[31mred\x1b[0m\nsecond [bold]line"))
    assert "\x1b" not in shown
    assert "[bold]line" in shown


def test_colour_is_used_when_asked_for() -> None:
    assert "\x1b[" in page(probe(), colour=True)
    assert "\x1b[" not in page(probe())
