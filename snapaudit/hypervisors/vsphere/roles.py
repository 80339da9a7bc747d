"""What an account's rights mean for audits and for enforcement, each lack with its repair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snapaudit.hypervisors.vsphere.paths import DATASTORE, VIRTUAL_MACHINE
from snapaudit.hypervisors.vsphere.rights import (
    BROWSING,
    NEVER,
    REMOVING,
    SEEING,
    WORDS,
    Rights,
    Scope,
)
from snapaudit.model.examination import Probe, ProbeState

_EXAMPLES = 3
_AUDIT_ROLE = (
    "assign the role for audits on the root of the inventory, with propagation "
    "(docs/hypervisors/vsphere.md, Rights)"
)
_ENFORCEMENT_ROLE = (
    "assign the role for enforcement on the root, or on the folders that may be cleaned up, with "
    "propagation (docs/hypervisors/vsphere.md, Rights)"
)


def visible(scope: Scope) -> Probe:
    """How much the account sees."""
    said = ", ".join(_count(len(scope.of(kind)), word) for kind, word in WORDS.items())
    if scope.of(VIRTUAL_MACHINE):
        return _well("visible", said)
    return _failed("visible", said, _AUDIT_ROLE)


def audit_probes(rights: Rights, *, searches: bool) -> Iterator[Probe]:
    """Whether the account that audits may see all that it should, and nothing beyond that.

    ``searches``: the endpoint wants its datastores searched for files that nothing uses.
    """
    yield _root(rights)
    yield _seeing("audit rights", rights, _AUDIT_ROLE)
    if searches:
        yield _needed("orphan search", rights, DATASTORE, BROWSING, _AUDIT_ROLE)
    if rights.scope.of(VIRTUAL_MACHINE):
        may_remove = [REMOVING] if rights.holding(VIRTUAL_MACHINE, REMOVING) else []
        yield _excess("audit excess", rights, may_remove, "an account that only audits")


def enforcement_probes(rights: Rights, audited: Scope) -> Iterator[Probe]:
    """Whether the account that deletes may remove snapshots, and sees what the audit sees."""
    machines = rights.scope.of(VIRTUAL_MACHINE)
    hidden = [n for moid, n in audited.of(VIRTUAL_MACHINE).items() if moid not in machines]
    if hidden:
        yield Probe(
            name="enforcement visible",
            state=ProbeState.WARNING,
            sentence=f"it does not see {_some(hidden, len(audited.of(VIRTUAL_MACHINE)))} machines",
            repair="let it read the root too: clones of a snapshot may stand anywhere",
        )
    yield _seeing("enforcement reading", rights, _ENFORCEMENT_ROLE)
    yield _needed("enforcement rights", rights, VIRTUAL_MACHINE, REMOVING, _ENFORCEMENT_ROLE)
    yield _excess("enforcement excess", rights, [], "an account that removes snapshots")


def _root(rights: Rights) -> Probe:
    root = rights.scope.root
    if root is not None and rights.held.get(root, frozenset()) >= frozenset(SEEING):
        return _well("root", "it may read the root of the inventory")
    return Probe(
        name="root",
        state=ProbeState.WARNING,
        sentence="it may not read the root: what lies outside its folders is unseen and uncounted",
        repair=_AUDIT_ROLE,
    )


def _seeing(name: str, rights: Rights, repair: str) -> Probe:
    lacks = [
        f"{privilege} on {_some(lacking, len(rights.scope.of(kind)))} {word}s"
        for kind, word in WORDS.items()
        for privilege in SEEING
        if (lacking := rights.lacking(kind, privilege))
    ]
    if lacks:
        return _failed(name, f"it lacks {'; '.join(lacks)}", repair)
    return _well(name, f"{' and '.join(SEEING)} on all that is visible")


def _needed(name: str, rights: Rights, kind: str, privilege: str, repair: str) -> Probe:
    seen, lacking = len(rights.scope.of(kind)), rights.lacking(kind, privilege)
    if not seen:
        return _failed(name, f"there is no {WORDS[kind]} to hold {privilege} on", repair)
    if not lacking:
        return _well(name, f"{privilege} on all of {_count(seen, WORDS[kind])}")
    said = f"it lacks {privilege} on {_some(lacking, seen)} {WORDS[kind]}s"
    if len(lacking) == seen:
        return _failed(name, said, repair)
    return Probe(name=name, state=ProbeState.WARNING, sentence=said, repair=repair)


def _excess(name: str, rights: Rights, besides: Sequence[str], who: str) -> Probe:
    found = [*besides]
    found += [one for kind in NEVER for one in NEVER[kind] if rights.holding(kind, one)]
    if not found:
        return _well(name, "no right to change more than it should")
    return Probe(
        name=name,
        state=ProbeState.WARNING,
        sentence=f"it also holds {', '.join(found)}",
        repair=f"{who} needs none of these: take them out of its role",
    )


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _some(names: Sequence[str], total: int) -> str:
    """``2 of 120 (web01, db02)``."""
    shown = ", ".join(names[:_EXAMPLES]) + (", ..." if len(names) > _EXAMPLES else "")
    return f"{len(names):,} of {total:,} ({shown})"


def _well(name: str, sentence: str) -> Probe:
    return Probe(name=name, state=ProbeState.OK, sentence=sentence)


def _failed(name: str, sentence: str, repair: str) -> Probe:
    return Probe(name=name, state=ProbeState.FAILED, sentence=sentence, repair=repair)
