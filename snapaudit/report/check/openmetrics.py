"""OpenMetrics: the text format 1.0, with units, ended by its own mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snapaudit.model.check import Checked
from snapaudit.model.metric import Family
from snapaudit.report.check.metrics import families
from snapaudit.report.check.prometheus import samples


def render(checked: Checked) -> bytes:
    """TYPE, UNIT, HELP and the samples of each family, and ``# EOF``."""
    return text(families(checked))


def text(made: Iterable[Family]) -> bytes:
    """The families in OpenMetrics 1.0.0."""
    lines = [line for one in made for line in _lines(one)]
    return "".join(f"{line}\n" for line in (*lines, "# EOF")).encode()


def _lines(one: Family) -> Iterator[str]:
    yield f"# TYPE {one.name} {'info' if one.is_info else 'gauge'}"
    if one.unit:
        yield f"# UNIT {one.name} {one.unit}"
    yield f"# HELP {one.name} {one.help}"
    yield from samples(one)
