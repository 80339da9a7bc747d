"""Acceptance: which exemptions accept a finding, and what a snapshot's own text asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from snapaudit.model.exemption import Exemption, Selector
from snapaudit.model.finding import Finding, Subject, Undetermined
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.policy import Policy, SubjectKind
from snapaudit.rules.environment import DEFAULT, environment_of
from snapaudit.rules.scene import unread_of

SnapshotPlace = tuple[str, str | None, str]
_WILD = frozenset("*?[")


class Acceptance:
    """The exemptions of a policy, ready to be asked about the findings of some inventories.

    ``declared`` are sentences of snapshots whose own text keeps them, by endpoint, machine and id.
    ``accepted`` counts, by the exemption's id, the findings that it accepted so far; ``open_for``
    says of an exemption's rule and subject that could not be decided.
    """

    def __init__(
        self,
        policy: Policy,
        inventories: Iterable[Inventory],
        now: datetime,
        declared: Mapping[SnapshotPlace, str],
    ) -> None:
        seen = tuple(inventories)
        self._policy = policy
        self._declared = declared
        self._honouring = frozenset(rule.id for rule in policy.rules if rule.honours_expiry)
        self._index = _Index(
            one for one in policy.exemptions if one.is_in_force(now, policy.longest_exemption)
        )
        self._machines = (
            {(one.endpoint, vm.id): vm for one in seen for vm in one.virtual_machines}
            if policy.exemptions
            else {}
        )
        self._untagged = {one.endpoint for one in seen if "tags" in unread_of(one)}
        self._tags_place = any(one.tags for one in policy.environments)
        self._environments: dict[tuple[str, str], str] = {}
        self.accepted: Counter[str] = Counter()
        self.open_for: dict[str, Undetermined] = {}

    def judged(self, finding: Finding) -> Finding:
        """The finding, with the sentence of the exemption that lasts longest, if any accepts it."""
        found = tuple(self.covering(finding.rule, finding.subject))
        for one in found:
            self.accepted[one.id] += 1
        if found:
            longest = self._policy.longest_exemption
            last = max(found, key=lambda one: one.ends_at(longest))
            return replace(finding, exemption=last.sentence(longest))
        declared = self._declared_by(finding)
        return finding if declared is None else replace(finding, exemption=declared)

    def kept(self, finding: Finding) -> Finding:
        """As ``judged``, and accepted also by what may fit: an unread tag may be the one named."""
        found = self.judged(finding)
        if found.exemption is not None:
            return found
        for one in self._index.candidates(finding.rule, finding.subject):
            if selects(one.selector, finding.subject) and self._may_fit(one, finding.subject):
                sentence = one.sentence(self._policy.longest_exemption)
                return replace(finding, exemption=f"{sentence}; the machine's tags are not known")
        return found

    def goes_by_unread_tags(self, exemption: Exemption, endpoint: str) -> bool:
        """Whether nobody can tell which machines of an endpoint an exemption selects."""
        selector = exemption.selector
        by_tags = selector.tags or (selector.environment is not None and self._tags_place)
        return bool(by_tags) and endpoint in self._untagged

    def _may_fit(self, exemption: Exemption, subject: Subject) -> bool:
        """Whether tags that were not read may put the machine where the exemption is about."""
        key, place = (subject.endpoint, subject.vm_id or ""), exemption.selector.environment
        vm = self._machines.get(key)
        if vm is None or not self.goes_by_unread_tags(exemption, subject.endpoint):
            return False
        return self._tags_place or place in (None, self._environment(key, vm))

    def note(self, undetermined: Undetermined) -> None:
        """Remember what is open: an exemption of it may be used, or not."""
        for one in self.covering(undetermined.rule, undetermined.subject):
            self.open_for.setdefault(one.id, undetermined)

    def misfits(self, selector: Selector, subject: Subject) -> tuple[str, ...]:
        """The keys of a selector that do not fit a subject, each looked at by itself."""
        said: dict[str, Any] = dict(selector.written())
        alone = ((key, Selector(**{key: value})) for key, value in said.items())
        return tuple(
            key
            for key, one in alone
            if not (selects(one, subject) and self._is_placed(one, subject))
        )

    def covering(self, rule: str, subject: Subject) -> Iterator[Exemption]:
        """The exemptions in force that accept what a rule says about a subject, in file order."""
        for one in self._index.candidates(rule, subject):
            if selects(one.selector, subject) and self._is_placed(one.selector, subject):
                yield one

    def _is_placed(self, selector: Selector, subject: Subject) -> bool:
        """Whether the machine has one of the tags and is in the environment; none has neither."""
        if not selector.tags and selector.environment is None:
            return True
        key = (subject.endpoint, subject.vm_id or "")
        vm = self._machines.get(key)
        if vm is None or (selector.tags and set(selector.tags).isdisjoint(vm.tags)):
            return False
        return selector.environment in (None, self._environment(key, vm))

    def _environment(self, key: tuple[str, str], vm: VirtualMachine) -> str:
        if key not in self._environments:
            found = environment_of(vm, key[0], self._policy.environments)
            self._environments[key] = found or DEFAULT
        return self._environments[key]

    def _declared_by(self, finding: Finding) -> str | None:
        subject = finding.subject
        if subject.kind is not SubjectKind.SNAPSHOT or finding.rule not in self._honouring:
            return None
        return self._declared.get((subject.endpoint, subject.vm_id, subject.id))


class _Index:
    """Exemptions by rule and, where they name one machine, by that: few are looked at closely."""

    def __init__(self, exemptions: Iterable[Exemption]) -> None:
        self._at: dict[tuple[str, str | None], list[tuple[int, Exemption]]] = {}
        for number, one in enumerate(exemptions):
            vm = one.selector.vm
            name = None if vm is None or not _WILD.isdisjoint(vm) else vm
            for rule in one.rules:
                self._at.setdefault((rule, name), []).append((number, one))

    def candidates(self, rule: str, subject: Subject) -> Iterator[Exemption]:
        if not self._at:
            return
        names = {None, subject.vm_id, subject.vm_name}
        found = [entry for name in names for entry in self._at.get((rule, name), ())]
        yield from (one for _, one in sorted(found, key=lambda entry: entry[0]))


def selects(selector: Selector, subject: Subject) -> bool:
    """Whether the ids and names that are written fit the subject; tags are not looked at here.

    What a selector names and the subject has not, such as a snapshot, never fits.
    """
    if selector.endpoint is not None and not _fits(selector.endpoint, subject.endpoint):
        return False
    if selector.vm is not None and not _fits(selector.vm, subject.vm_id, subject.vm_name):
        return False
    own = {
        SubjectKind.SNAPSHOT: selector.snapshot,
        SubjectKind.DATASTORE: selector.datastore,
        SubjectKind.FILE: selector.file,
    }
    if any(text is not None for kind, text in own.items() if kind is not subject.kind):
        return False
    wanted = own.get(subject.kind)
    if wanted is None or _fits(wanted, subject.id, subject.name):
        return True
    return subject.kind is SubjectKind.FILE and _fits(wanted, subject.id)


def _fits(written: str, identity: str | None, name: str | None = None) -> bool:
    """An id or a name as it stands, or a name by a pattern of the shell; case counts."""
    if written in (identity, name):
        return True
    text = identity if name is None else name
    return text is not None and not _WILD.isdisjoint(written) and fnmatchcase(text, written)
