"""Verdicts: all that the rules say about one subject, as one text of which there are few.

``stale-snapshot:warning anonymous-snapshot:info* long-chain:?``: rule and severity, ``*`` where an
exemption accepts it, ``?`` where a fact was unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from snapaudit.history.identity import number_of_snapshot, number_of_subject
from snapaudit.model.finding import Audit, Finding, Subject, Undetermined
from snapaudit.model.inventory import Inventory, Snapshot, VirtualMachine
from snapaudit.model.policy import Severity, SubjectKind

UNKNOWN = "?"
_EXEMPT = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The rules that found something, and those that could not be decided."""

    found: frozenset[str]
    undecided: frozenset[str]


NOTHING_SAID = Verdict(found=frozenset(), undecided=frozenset())


@lru_cache(maxsize=4096)
def read_verdict(text: str | None) -> Verdict:
    """The verdict that a text stands for."""
    if not text:
        return NOTHING_SAID
    said = [item.rpartition(":") for item in text.split()]
    return Verdict(
        found=frozenset(rule for rule, _, word in said if word != UNKNOWN),
        undecided=frozenset(rule for rule, _, word in said if word == UNKNOWN),
    )


@lru_cache(maxsize=4096)
def standing(text: str) -> dict[str, Severity]:
    """The rules that found something that no exemption accepted, and how bad it was."""
    said = [item.rpartition(":") for item in text.split()]
    words = {str(grade) for grade in Severity}
    return {rule: Severity(word) for rule, _, word in said if word in words}


@lru_cache(maxsize=4096)
def risen(said: str, says: str) -> frozenset[str]:
    """The rules that stand now and did not (or an exemption accepted it), or that stand higher."""
    then, now = standing(said), standing(says)
    return frozenset(
        rule for rule, grade in now.items() if rule not in then or grade.rank > then[rule].rank
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A subject with its number and the text of its verdict."""

    number: int
    subject: Subject
    verdict: str
    is_found: bool


def snapshots_of(
    inventory: Inventory,
) -> Iterator[tuple[int, VirtualMachine, Snapshot]]:
    """Each snapshot of an inventory with its number."""
    for vm in inventory.virtual_machines:
        for snapshot in vm.snapshots:
            yield number_of_snapshot(inventory.endpoint, vm.id, snapshot), vm, snapshot


def judged(audit: Audit, numbers: dict[tuple[str, str, str], int]) -> Iterator[Judged]:
    """Everything that a rule said something about. ``numbers`` are those of the snapshots."""
    said: dict[int, list[str]] = {}
    subjects: dict[int, Subject] = {}
    found: set[int] = set()
    items: tuple[Finding | Undetermined, ...] = (*audit.findings, *audit.undetermined)
    for item in items:
        # Exemptions lie in a file of their own and belong to no endpoint.
        if item.subject.kind is SubjectKind.EXEMPTION:
            continue
        number = _number(item.subject, numbers)
        if number is None:
            continue
        said.setdefault(number, []).append(_word(item))
        subjects.setdefault(number, item.subject)
        if isinstance(item, Finding):
            found.add(number)
    for number, words in said.items():
        yield Judged(number, subjects[number], " ".join(sorted(set(words))), number in found)


def _number(subject: Subject, numbers: dict[tuple[str, str, str], int]) -> int | None:
    """None for a snapshot of an endpoint of which nothing is believed."""
    if subject.kind is SubjectKind.SNAPSHOT:
        return numbers.get((subject.endpoint, subject.vm_id or "", subject.id))
    return number_of_subject(subject)


def _word(item: Finding | Undetermined) -> str:
    if isinstance(item, Undetermined):
        return f"{item.rule}:{UNKNOWN}"
    return f"{item.rule}:{item.severity}{_EXEMPT if item.exemption is not None else ''}"
