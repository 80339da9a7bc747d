"""Metrics: the verdict and what it rests on as families of numbers with bounded labels.

There is a series for each endpoint, rule, severity and datastore, and none for single machines or
snapshots unless they are asked for. Where an endpoint was not seen whole there is no zero: a number
that nobody counted is absent, so that no alert takes it for fine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from snapaudit import __version__
from snapaudit.model.check import Checked
from snapaudit.model.finding import EndpointCoverage
from snapaudit.model.inventory import CoverageState, Datastore, Inventory
from snapaudit.model.metric import Family, Labels, Sample
from snapaudit.model.policy import SubjectKind
from snapaudit.report.escape import plain
from snapaudit.report.headline import cautions

_Value = float | None


def families(checked: Checked) -> tuple[Family, ...]:
    """Everything a check says in numbers, in a stable order; families without a sample left out."""
    made = (*_verdict(checked), *_endpoints(checked), *_findings(checked), *_stores(checked))
    if checked.per_snapshot:
        made = (*made, *_snapshots(checked))
    return tuple(one for one in made if one.samples)


def family(
    name: str, text: str, samples: Iterable[tuple[Labels, _Value]], unit: str = ""
) -> Family:
    """A family of the samples that have a value, their labels harmless and each told once."""
    seen: Counter[Labels] = Counter()
    kept = []
    for labels, value in samples:
        if value is not None:
            shown = tuple((label, plain(name)) for label, name in labels)
            seen[shown] += 1
            kept.append(Sample(labels=_told_apart(shown, seen[shown]), value=value))
    return Family(name=name, help=text, samples=tuple(kept), unit=unit)


def _told_apart(labels: Labels, number: int) -> Labels:
    """Different names may look alike once all of them can be seen; the second says so."""
    return labels if number == 1 else (*labels, ("again", str(number)))


# The verdict ----------------------------------------------------------------------------------


def _verdict(checked: Checked) -> Iterator[Family]:
    check = checked.check
    version = Sample(labels=(("version", __version__),), value=1)
    yield Family(
        name="snapaudit_build", help="The version of snapaudit.", samples=(version,), is_info=True
    )
    yield family(
        "snapaudit_status",
        "The verdict of the check: 0 ok, 1 warning, 2 critical, 3 unknown.",
        [((), check.exit_code)],
    )
    yield family(
        "snapaudit_last_success_timestamp_seconds",
        "When what is shown here was judged, in seconds since 1970.",
        [((), _seconds(checked.audit.audited_at))],
        "seconds",
    )
    yield from _budgets(checked)
    if check.compared is not None:
        changes = (("new", check.compared.new), ("worse", check.compared.worse))
        yield family(
            "snapaudit_changed_findings",
            "Findings that are new or worse than at the time compared with.",
            [((("change", word),), len(prints)) for word, prints in changes],
        )


def _budgets(checked: Checked) -> Iterator[Family]:
    budgets = [
        ((("budget", one.name.replace(" ", "_")), ("beyond", str(one.beyond))), one)
        for one in checked.check.budgets
    ]
    yield family(
        "snapaudit_budget_value",
        "What was counted for a budget, in its own unit.",
        [(labels, one.value) for labels, one in budgets],
    )
    yield family(
        "snapaudit_budget_limit",
        "The limit of a budget, in its own unit.",
        [(labels, one.limit) for labels, one in budgets],
    )
    yield family(
        "snapaudit_budget_status",
        "How a budget stands: 0 kept, 1 warning, 2 critical, 3 unknown.",
        [(labels, one.status.exit_code) for labels, one in budgets],
    )


# Endpoints ------------------------------------------------------------------------------------


def _endpoints(checked: Checked) -> Iterator[Family]:
    coverage = checked.check.coverage
    yield family(
        "snapaudit_endpoint_up",
        "Whether an endpoint was seen completely.",
        [(_at(one), float(one.state is CoverageState.COMPLETE)) for one in coverage],
    )
    yield family(
        "snapaudit_endpoint_coverage",
        "How much of an endpoint was seen: 1 for the state that it is in.",
        [
            ((*_at(one), ("state", str(state))), float(one.state is state))
            for one in coverage
            for state in CoverageState
        ],
    )
    yield family(
        "snapaudit_endpoint_caution",
        "What every reader has to know of an endpoint: a lab, an unverified connection.",
        [((("endpoint", one.endpoint), ("caution", one.word)), 1) for one in cautions(coverage)],
    )
    yield from _objects(checked)


def _objects(checked: Checked) -> Iterator[Family]:
    seen = [
        (_of(one), one)
        for one in checked.audit.inventories
        if one.coverage.state is not CoverageState.MISSING
    ]
    yield family(
        "snapaudit_endpoint_collected_timestamp_seconds",
        "When an endpoint was read, in seconds since 1970.",
        [(labels, _seconds(one.collected_at)) for labels, one in seen],
        "seconds",
    )
    yield family(
        "snapaudit_virtual_machines",
        "Virtual machines that were seen.",
        [(labels, len(one.virtual_machines)) for labels, one in seen],
    )
    yield family(
        "snapaudit_snapshots",
        "Snapshots that were seen.",
        [(labels, len(_sizes(one))) for labels, one in seen],
    )
    yield family(
        "snapaudit_snapshot_size_bytes",
        "What all snapshots of known size hold together.",
        [(labels, sum(s for s in _sizes(one) if s is not None)) for labels, one in seen],
        "bytes",
    )
    yield family(
        "snapaudit_snapshots_of_unknown_size",
        "Snapshots whose size is not known.",
        [(labels, _sizes(one).count(None)) for labels, one in seen],
    )
    yield family(
        "snapaudit_oldest_snapshot_timestamp_seconds",
        "When the oldest snapshot was taken, in seconds since 1970.",
        [(labels, _oldest(one)) for labels, one in seen],
        "seconds",
    )


def _sizes(seen: Inventory) -> list[int | None]:
    return [one.size_bytes for vm in seen.virtual_machines for one in vm.snapshots]


def _oldest(seen: Inventory) -> _Value:
    taken = [one.created_at for vm in seen.virtual_machines for one in vm.snapshots]
    return min((_seconds(at) for at in taken if at is not None), default=None)


# Findings -------------------------------------------------------------------------------------


def _findings(checked: Checked) -> Iterator[Family]:
    standing = [one for one in checked.check.findings if one.exemption is None]
    found = Counter((one.subject.endpoint, one.rule, str(one.severity)) for one in standing)
    whole = [one.endpoint for one in checked.check.coverage if one.state is CoverageState.COMPLETE]
    every = {
        (at, rule.id, str(grade))
        for rule in checked.rules
        for at in ([""] if rule.subject is SubjectKind.EXEMPTION else whole)
        for grade in rule.levels
    }
    yield family(
        "snapaudit_findings",
        "Findings that no exemption accepts.",
        [
            ((("endpoint", at), ("rule", rule), ("severity", grade)), found[at, rule, grade])
            for at, rule, grade in sorted({*found, *every})
        ],
    )
    accepted = Counter(one.subject.endpoint for one in checked.check.findings if one.exemption)
    yield family(
        "snapaudit_exempt_findings",
        "Findings that an exemption accepts.",
        [((("endpoint", at),), accepted[at]) for at in sorted({*accepted, *whole})],
    )
    asked = Counter((one.subject.endpoint, one.rule) for one in checked.audit.undetermined)
    yield family(
        "snapaudit_undecided",
        "Questions of a rule that could not be decided, since a fact is unknown.",
        [((("endpoint", at), ("rule", rule)), asked[at, rule]) for at, rule in sorted(asked)],
    )


# Datastores -----------------------------------------------------------------------------------


def _stores(checked: Checked) -> Iterator[Family]:
    stores = [
        ((("endpoint", seen.endpoint), ("datastore", one.name), ("id", one.id)), one)
        for seen in checked.audit.inventories
        for one in sorted(seen.datastores, key=lambda store: (store.name, store.id))
    ]
    yield family(
        "snapaudit_datastore_accessible",
        "Whether a datastore can be reached.",
        [(labels, float(one.accessible)) for labels, one in stores],
    )
    yield family(
        "snapaudit_datastore_size_bytes",
        "The capacity of a datastore.",
        [(labels, _told(one, one.capacity_bytes)) for labels, one in stores],
        "bytes",
    )
    yield family(
        "snapaudit_datastore_free_bytes",
        "What is free on a datastore.",
        [(labels, _told(one, one.free_bytes)) for labels, one in stores],
        "bytes",
    )
    yield family(
        "snapaudit_datastore_provisioned_bytes",
        "What the disks on a datastore could grow to.",
        [(labels, _told(one, one.provisioned_bytes)) for labels, one in stores],
        "bytes",
    )
    yield family(
        "snapaudit_datastore_full_in_seconds",
        "How long a datastore may take from its last sample until nothing is free, as a range.",
        _forecasts(checked, stores),
        "seconds",
    )


def _forecasts(
    checked: Checked, stores: Iterable[tuple[Labels, Datastore]]
) -> Iterator[tuple[Labels, _Value]]:
    """Nothing for a datastore that is not filling, or of which too little is known."""
    for labels, one in stores:
        found = checked.forecasts.get((labels[0][1], one.id))
        days = None if found is None else found.days_to_full
        if days is not None:
            for bound in ("early", "likely", "late"):
                value = getattr(days, bound)
                seconds = None if value is None else round(value * 86400)
                yield (*labels, ("bound", bound)), seconds


def _told(store: Datastore, size: int | None) -> _Value:
    return size if store.accessible else None


# Single snapshots -----------------------------------------------------------------------------


def _snapshots(checked: Checked) -> Iterator[Family]:
    shots = [
        (
            (
                *(("endpoint", seen.endpoint), ("vm", vm.name), ("vm_id", vm.id)),
                *(("snapshot", one.name), ("snapshot_id", one.id)),
            ),
            one,
        )
        for seen in checked.audit.inventories
        for vm in sorted(seen.virtual_machines, key=lambda machine: (machine.name, machine.id))
        for one in vm.snapshots
    ]
    yield family(
        "snapaudit_single_snapshot_size_bytes",
        "What one snapshot holds.",
        [(labels, one.size_bytes) for labels, one in shots],
        "bytes",
    )
    yield family(
        "snapaudit_single_snapshot_created_timestamp_seconds",
        "When one snapshot was taken, in seconds since 1970.",
        [
            (labels, None if one.created_at is None else _seconds(one.created_at))
            for labels, one in shots
        ],
        "seconds",
    )


def _at(one: EndpointCoverage) -> Labels:
    return (("endpoint", one.endpoint),)


def _of(seen: Inventory) -> Labels:
    return (("endpoint", seen.endpoint), ("hypervisor", seen.hypervisor))


def _seconds(at: datetime) -> float:
    return round(at.timestamp(), 3)
