"""Metrics: numbers with labels, as Prometheus and its kin keep them."""

from __future__ import annotations

from dataclasses import dataclass

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One number; the labels, names and harmless values, tell it apart from its family."""

    labels: Labels = ()
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """All numbers of one name, each a gauge.

    ``unit`` is the ending of the name, ``bytes`` or ``seconds``, or empty. ``is_info``: the value
    is 1 and the labels are what is told; the name has no ``_info`` then.
    """

    name: str
    help: str
    samples: tuple[Sample, ...]
    unit: str = ""
    is_info: bool = False
