"""Performance data: the numbers of a check with their thresholds, for Nagios and its kin.

The form is that of the Monitoring Plugins' development guidelines: ``'label'=value[unit];warn;crit;
min;max``, where warn and crit are ranges: ``10`` means from 0 to 10, ``30:`` from 30 up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from snapaudit.model.check import Budget, BudgetBound, Checked, Status
from snapaudit.model.inventory import CoverageState, Datastore
from snapaudit.model.policy import Comparison, Rule, Severity
from snapaudit.report.escape import perfdata_label

# Every series takes about 80 characters of the 8 KiB that Nagios reads of a plugin.
MOST_DATASTORES = 40
_FILL_RULE, _FILL_FACT = "datastore-near-full", "used_share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """One number. ``warn`` and ``crit`` are ranges, empty where there is none."""

    label: str
    value: float | None
    unit: str = ""
    warn: str = ""
    crit: str = ""
    max: float | None = None

    @property
    def text(self) -> str:
        """``'used kvm1/pool-1'=512B;850;950;0;1000``; a number nobody knows is ``U``."""
        value = "U" if self.value is None else f"{number(self.value)}{self.unit}"
        most = "" if self.max is None else number(self.max)
        parts = f"'{perfdata_label(self.label)}'={value};{self.warn};{self.crit};0;{most}"
        return parts.rstrip(";")


def number(value: float) -> str:
    """A number without exponent and without needless digits."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if value % 1 else f"{int(value)}"


def totals(checked: Checked) -> tuple[Datum, ...]:
    """Findings by severity, the view, the snapshots, and whatever a budget limits."""
    check, limits = checked.check, _limits(checked.check.budgets)
    seen = checked.audit.summary
    incomplete = sum(one.state is not CoverageState.COMPLETE for one in check.coverage)
    counts = check.counts
    found = (
        Datum(label="critical", value=counts.critical),
        Datum(label="warning", value=counts.warning),
        Datum(label="info", value=counts.info),
        Datum(label="undecided", value=check.undetermined),
        Datum(label="endpoints_incomplete", value=incomplete, max=len(check.coverage)),
        Datum(label="virtual_machines", value=seen.virtual_machines),
        Datum(label="snapshots", value=seen.snapshots),
        Datum(label="snapshot_bytes", value=seen.snapshot_bytes, unit="B"),
    )
    named = {one.label for one in found}
    others = [one for label, one in limits.items() if label not in named]
    return (*(_limited(one, limits) for one in found), *others, *_news(checked))


def _news(checked: Checked) -> Iterator[Datum]:
    if checked.check.compared is not None:
        yield Datum(label="new", value=len(checked.check.compared.new))
        yield Datum(label="worse", value=len(checked.check.compared.worse))


def _limited(one: Datum, limits: Mapping[str, Datum]) -> Datum:
    limit = limits.get(one.label)
    if limit is None:
        return one
    return Datum(
        label=one.label, value=one.value, unit=one.unit, warn=limit.warn, crit=limit.crit,
        max=one.max,
    )  # fmt: skip


def _limits(budgets: Iterable[Budget]) -> dict[str, Datum]:
    """One number for each name that budgets have, with the ranges of all of them."""
    grouped: dict[str, list[Budget]] = {}
    for one in budgets:
        grouped.setdefault(_label(one), []).append(one)
    return {label: _datum(label, group) for label, group in grouped.items()}


def _label(one: Budget) -> str:
    severities = {f"{severity} findings": str(severity) for severity in Severity}
    return severities.get(one.name, one.name.replace(" ", "_"))


def _datum(label: str, group: list[Budget]) -> Datum:
    first = group[0]
    ranges = {one.beyond is Status.CRITICAL: _range(one) for one in group}
    return Datum(
        label=label,
        value=_scaled(first.value, first.unit),
        unit={"bytes": "B", "share": "%"}.get(first.unit, ""),
        warn=ranges.get(False, ""),
        crit=ranges.get(True, ""),
        max=100 if first.unit == "share" else None,
    )


def _range(one: Budget) -> str:
    limit = number(_scaled(one.limit, one.unit) or 0)
    return limit if one.bound is BudgetBound.AT_MOST else f"{limit}:"


def _scaled(value: float | None, unit: str) -> float | None:
    return value * 100 if value is not None and unit == "share" else value


# Datastores -----------------------------------------------------------------------------------


def datastores(checked: Checked) -> tuple[Datum, ...]:
    """What is used on each datastore; none at all where there are too many for one line.

    All or none: a graph whose line comes and goes with the fill of others tells nothing.
    """
    stores = [(seen.endpoint, one) for seen in checked.audit.inventories for one in seen.datastores]
    if len(stores) > MOST_DATASTORES:
        return ()
    names = Counter(f"{endpoint}/{store.name}" for endpoint, store in stores)
    warn, crit = (_bound(checked.rules, grade) for grade in (Severity.WARNING, Severity.CRITICAL))
    return tuple(
        _fill(_unique(endpoint, store, names), store, warn, crit)
        for endpoint, store in sorted(stores, key=lambda one: (one[0], one[1].name, one[1].id))
    )


def _unique(endpoint: str, store: Datastore, names: Counter[str]) -> str:
    name = f"{endpoint}/{store.name}"
    return f"used {name}" if names[name] == 1 else f"used {name} ({store.id})"


def _fill(label: str, store: Datastore, warn: float | None, crit: float | None) -> Datum:
    size, free = store.capacity_bytes, store.free_bytes
    used = None if size is None or free is None or not store.accessible else max(0, size - free)
    return Datum(
        label=label,
        value=used,
        unit="B",
        warn=_share_of(size, warn),
        crit=_share_of(size, crit),
        max=size,
    )


def _share_of(size: int | None, share: float | None) -> str:
    return "" if size is None or share is None else str(int(size * share))


def _bound(rules: Iterable[Rule], grade: Severity) -> float | None:
    """The share from which on the rule in force speaks, where it is written as one bound."""
    for rule in rules:
        level = rule.levels.get(grade)
        if rule.id == _FILL_RULE and isinstance(level, Comparison) and level.fact == _FILL_FACT:
            return level.bound if isinstance(level.bound, float) else None
    return None
