"""Checkmk: a local check's lines, one service each: the verdict, and each endpoint by itself."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from snapaudit.model.check import Checked, Status
from snapaudit.model.finding import EndpointCoverage, Finding
from snapaudit.model.inventory import CoverageState, Datastore
from snapaudit.model.policy import Severity, SubjectKind
from snapaudit.report.check.lines import beside, message, summary, worst_first
from snapaudit.report.check.perfdata import number, totals
from snapaudit.report.escape import checkmk_name, checkmk_text, shorten
from snapaudit.report.headline import blind_line
from snapaudit.report.phrases import count

_MOST_LINES, _WIDEST = 30, 200


def render(checked: Checked) -> bytes:
    """A line for the check, one for each endpoint, one for each datastore that was chosen."""
    check = checked.check
    metrics = "|".join(
        f"{one.label}={number(one.value)}" for one in totals(checked) if one.value is not None
    )
    said = [*beside(checked), *(f"{one.severity}: {message(one)}" for one in _standing(checked))]
    lines = [_service(check.status, "snapaudit", metrics, [summary(check), *said])]
    names = _Names()
    lines += [_endpoint(checked, one, names) for one in check.coverage]
    lines += _stores(checked, names) if checked.datastores_chosen else ()
    return "".join(f"{line}\n" for line in lines).encode()


class _Names:
    """Names of services that stay apart after Checkmk has taken out what it does not allow."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def of(self, kind: str, name: str) -> str:
        """The service's name."""
        service = checkmk_name(f"snapaudit {kind} {name}")
        if self._taken.setdefault(service, name) != name:
            service += f" {hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"
        return service


def _service(status: Status, name: str, metrics: str, lines: list[str]) -> str:
    shown = [shorten(checkmk_text(line), _WIDEST) for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        shown.append(f"and {len(lines) - _MOST_LINES:,} more lines")
    return f'{status.exit_code} "{name}" {metrics or "-"} ' + r"\n".join(shown)


def _standing(checked: Checked) -> list[Finding]:
    return worst_first(one for one in checked.check.findings if one.exemption is None)


def _endpoint(checked: Checked, one: EndpointCoverage, names: _Names) -> str:
    found = [item for item in _standing(checked) if item.subject.endpoint == one.endpoint]
    is_whole = one.state is CoverageState.COMPLETE
    status = _worst(checked, found, Status.OK if is_whole else Status.UNKNOWN)
    numbers = Counter(item.severity for item in found)
    metrics = [f"{grade}={numbers[grade]}" for grade in reversed(Severity)]
    if is_whole:
        metrics += [f"virtual_machines={one.virtual_machines}", f"snapshots={one.snapshots}"]
    view = "complete" if is_whole else blind_line(one)
    head = f"{_counted(numbers)}; {view}"
    body = [f"{item.severity}: {message(item)}" for item in found]
    service = names.of("endpoint", one.endpoint)
    return _service(status, service, "|".join(metrics), [head, *one.cautions, *body])


def _counted(numbers: Counter[Severity]) -> str:
    warnings = numbers[Severity.WARNING]
    parts = [
        f"{numbers[Severity.CRITICAL]:,} critical" if numbers[Severity.CRITICAL] else "",
        count(warnings, "warning") if warnings else "",
        f"{numbers[Severity.INFO]:,} info" if numbers[Severity.INFO] else "",
    ]
    return ", ".join(part for part in parts if part) or "no findings"


def _worst(checked: Checked, found: Iterable[Finding], view: Status) -> Status:
    said = [view]
    for one in found:
        if one.fingerprint in checked.counting:
            is_critical = one.severity is Severity.CRITICAL
            said.append(Status.CRITICAL if is_critical else Status.WARNING)
    return max(said, key=lambda status: status.rank)


def _stores(checked: Checked, names: _Names) -> Iterator[str]:
    about = [one for one in _standing(checked) if one.subject.kind is SubjectKind.DATASTORE]
    for seen in checked.audit.inventories:
        for store in seen.datastores:
            found = [
                one
                for one in about
                if (one.subject.endpoint, one.subject.id) == (seen.endpoint, store.id)
            ]
            metrics = _usage(store)
            head = "not seen" if metrics is None else count(len(found), "finding")
            status = _worst(checked, found, Status.UNKNOWN if metrics is None else Status.OK)
            service = names.of("datastore", f"{seen.endpoint}/{store.name}")
            lines = [head, *(message(one) for one in found)]
            yield _service(status, service, metrics or "", lines)


def _usage(store: Datastore) -> str | None:
    """How full it is, as a metric; None where nobody knows."""
    size, free = store.capacity_bytes, store.free_bytes
    if size is None or free is None or not store.accessible:
        return None
    return f"used_bytes={size - free};;;0;{size}"
