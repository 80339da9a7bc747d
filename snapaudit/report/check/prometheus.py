"""Prometheus: the text format, for node_exporter's textfile collector; samples bear no time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snapaudit.model.check import Checked
from snapaudit.model.metric import Family, Labels
from snapaudit.report.check.metrics import families
from snapaudit.report.escape import label_value


def render(checked: Checked) -> bytes:
    """HELP, TYPE and the samples of each family."""
    return text(families(checked))


def text(made: Iterable[Family]) -> bytes:
    """The families in the text format 0.0.4."""
    return "".join(f"{line}\n" for one in made for line in _lines(one)).encode()


def _lines(one: Family) -> Iterator[str]:
    name = f"{one.name}_info" if one.is_info else one.name
    yield f"# HELP {name} {one.help}"
    yield f"# TYPE {name} gauge"
    yield from samples(one)


def samples(one: Family) -> Iterator[str]:
    """The lines of the samples, which both formats write alike."""
    name = f"{one.name}_info" if one.is_info else one.name
    for sample in one.samples:
        yield f"{name}{_labels(sample.labels)} {_number(sample.value)}"


def _labels(labels: Labels) -> str:
    inner = ",".join(f'{name}="{label_value(value)}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
