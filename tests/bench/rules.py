"""How fast the built-in pack judges a large estate, purposes included.

The floor beside it is what no engine can do without: to make the records of the answer, and to sort
them. The ratio says what the judging itself costs, whatever the machine does at the time. Reading
names and purposes is shown apart from what all rules take on top of it, the records of the answer
and their order included; and once more with environments, and with rules of a site that ask for
patterns and for lent facts. Seconds are those of the processor, so that others disturb little.

``python -m tests.bench.rules`` prints the table. Ages, sizes, names and gaps are mixed, so that the
rules about snapshots fire on some of them and not on most.
"""

from __future__ import annotations

import gc
import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from snapaudit.model.finding import Audit, Finding, Purpose, Subject, fingerprint
from snapaudit.model.inventory import Inventory, Snapshot, VirtualMachine
from snapaudit.model.policy import Environment, Policy
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from snapaudit.rules.purposes.classifier import classifier
from snapaudit.rules.staging import stage
from tests.builders import GIB, NOW, inventory, snapshot, vm

MACHINES = 20_000
SNAPSHOTS = 5
ROUNDS = 3
_NAMES = (
    "before-kernel-update-{n}", "pre patch day {n}", "vor Umstellung Cluster {n}", "snapshot{n}",
    "Sicherung {n} nicht löschen", "avant migration {n}", "nightly-{n}-0300", "test app v{n}",
    "VEEAM BACKUP TEMPORARY SNAPSHOT", "копия перед обновлением {n}",
)  # fmt: skip
_HOURS = (2, 9, 20, 30, 50, 60, 70, 100, 300, 2500)
_DESCRIPTIONS = (
    "",
    "CHG-{n}",
    "asked for by the application team, build {n}",
    "keep until 2026-07-01",
)


def estate() -> Inventory:
    """20,000 machines with five snapshots each."""
    return inventory(*(machine(number) for number in range(MACHINES)))


def machine(number: int, snapshots: int = SNAPSHOTS) -> VirtualMachine:
    """One machine of the estate."""
    shots = (_snapshot(number * snapshots + offset) for offset in range(snapshots))
    return vm(f"vm{number:05}", *shots)


def _snapshot(number: int) -> Snapshot:
    hours = _HOURS[number * 7 % 10] + number % 3
    return snapshot(
        _NAMES[number // 3 % 10].format(n=number),
        id=f"s{number}",
        created_at=NOW - timedelta(hours=hours),
        description=_DESCRIPTIONS[number // 2 % 4].format(n=number),
        size_bytes=None if number % 20 == 0 else number % 6 * GIB,
        has_memory=number % 8 == 0,
    )


def run() -> list[tuple[str, float, str]]:
    """Name, value and unit of each measurement, printed too; the time is the best of three."""
    subject, policy = estate(), _policy()
    before = _peak_mib()
    seconds, reading = _best(subject, policy)
    site_seconds, site_reading = _best(subject, _site_policy())
    result = audit([subject], policy, NOW)
    floor = min(_floor(result) for _ in range(ROUNDS))
    rows = [
        ("audit of 100,000 snapshots", seconds, "s"),
        ("  reading names and purposes", reading, "s"),
        ("  all rules on top", seconds - reading, "s"),
        ("  with a site's own rules on top", site_seconds - site_reading, "s"),
        ("rules against reading", (seconds - reading) / reading, "times"),
        ("floor: its records alone", floor, "s"),
        ("ratio", seconds / floor, "times the floor"),
        ("findings", len(result.findings), "records"),
        ("undetermined", len(result.undetermined), "records"),
        ("memory of the inventory", before, "MiB at most"),
        ("memory with the audit", _peak_mib(), "MiB at most"),
    ]
    for name, value, unit in rows:
        sys.stdout.write(f"{name:32} {value:12,.2f} {unit}\n")
    return rows


def _best(subject: Inventory, policy: Policy) -> tuple[float, float]:
    """The shortest whole audit, and the shortest reading, measured turn by turn."""
    turns = [(_timed(subject, policy), _reading(subject)) for _ in range(ROUNDS)]
    return min(whole for whole, _ in turns), min(read for _, read in turns)


def _reading(subject: Inventory) -> float:
    start = time.process_time()
    gc.disable()
    stage(subject, NOW, classifier())
    gc.enable()
    return time.process_time() - start


_SITE_RULES = {
    "tests-left": "{any: [{name: {matches: ' tests?$'}}, {name: {matches: 'v[0-9]+$'}}]}",
    "no-owner": "{age: {over: 90d}, vm_attribute: {name: owner, is: ''}, vm_tags: {lacks: keep}}",
    "deep": "{depth: {over: 4}, not: {vm_is_template: {is: true}}}",
    "odd-folder": "{vm_folder: {matches: '^(Berlin|Hamburg)/'}, age: {over: 30d}}",
    "lab-stale": "{endpoint_is_lab: {is: true}, age: {over: 14d}}",
}


def _site_policy() -> Policy:
    """The pack in three environments, with five rules of a site that ask for more than ages."""
    places = (
        Environment(name="prod", tags=frozenset({"prod"})),
        Environment(name="lab", names=("vm000*", "vm19*")),
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, condition in _SITE_RULES.items():
            (Path(folder) / f"{name}.yaml").write_text(
                f"id: {name}\ntitle: x\nsubject: snapshot\nlevels: {{info: {condition}}}\n"
                "why: x\nfix: x\n"
            )
        return load_policy((Path(folder),), disable={}, levels={}, environments=places)


def _policy() -> Policy:
    return load_policy((), disable={}, levels={}, environments=())


def _timed(subject: Inventory, policy: Policy) -> float:
    start = time.process_time()
    audit([subject], policy, NOW)
    return time.process_time() - start


def _floor(result: Audit) -> float:
    start = time.process_time()
    findings = [_again(finding) for finding in result.findings]
    purposes = [
        Purpose(
            endpoint=one.endpoint,
            vm_id=one.vm_id,
            snapshot_id=one.snapshot_id,
            purpose=one.purpose,
            score=one.score,
            reasons=one.reasons,
        )
        for one in result.purposes
    ]
    findings.sort(key=lambda item: (item.rule, item.subject.vm_id or "", item.subject.id))
    purposes.sort(key=lambda item: (item.vm_id, item.snapshot_id))
    return time.process_time() - start


def _again(finding: Finding) -> Finding:
    subject = finding.subject
    return Finding(
        rule=finding.rule,
        severity=finding.severity,
        subject=Subject(
            kind=subject.kind,
            endpoint=subject.endpoint,
            id=subject.id,
            name=subject.name,
            vm_id=subject.vm_id,
            vm_name=subject.vm_name,
        ),
        evidence=finding.evidence,
        remedy=finding.remedy,
        fingerprint=fingerprint(finding.rule, subject),
    )


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    run()
