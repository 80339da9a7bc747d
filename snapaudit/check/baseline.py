"""Baseline files: the ratchet that lets a check fail on what is new or worse alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from snapaudit.check.selection import Selection
from snapaudit.codec.documents import from_document, to_document
from snapaudit.codec.strict import canonical, parse, pretty
from snapaudit.errors import InputError, UsageError
from snapaudit.model.baseline import (
    BASELINE_SCHEMA,
    Baseline,
    KnownEndpoint,
    KnownFinding,
    is_worse,
)
from snapaudit.model.check import Compared, is_whole_view
from snapaudit.model.finding import Audit, Finding
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.model.policy import SubjectKind

MAX_BYTES = 256 * 2**20
_AGAIN = "write it again with `snapaudit check --write-baseline FILE`"


def baseline_of(
    audit: Audit, selection: Selection, *, rules_digest: str, tool_version: str
) -> Baseline:
    """What stands now, without exempt findings. Raises UsageError where the view is not whole."""
    if not is_whole_view(audit.coverage):
        raise UsageError(
            "--write-baseline: the view is incomplete, so the baseline would call known findings "
            "new later on; nothing was written"
        )
    sizes = Sizes(audit.inventories)
    standing = (one for one in audit.findings if one.exemption is None)
    made = Baseline(
        created_at=_moment(audit.audited_at),
        tool_version=tool_version,
        rules_digest=rules_digest,
        endpoints=tuple(
            KnownEndpoint(endpoint=one.endpoint, manager_id=one.manager_id)
            for one in sorted(audit.inventories, key=lambda one: one.endpoint)
        ),
        selection=selection.words,
        findings=tuple(sorted((_known(one, sizes) for one in standing), key=_order)),
    )
    return replace(made, digest=_digest(to_document(made)))


def document(baseline: Baseline) -> bytes:
    """The file, for people to read and for version control to compare."""
    return pretty(to_document(baseline))


def read_baseline(path: Path) -> Baseline:
    """A baseline as it was written. Raises InputError for any other file, and for an edited one."""
    source = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES)
    except FileNotFoundError as error:
        hint = "there is no such file; write one with `snapaudit check --write-baseline FILE`"
        raise InputError(source, hint) from error
    except OSError as error:
        raise InputError(source, f"cannot be read: {error.strerror}") from error
    found = parse(raw, source)
    _refuse_other_schema(source, found.get("schema"))
    if found.get("digest") != _digest(found):
        raise InputError(source, f"was edited after it was written (its digest differs); {_AGAIN}")
    return from_document(Baseline, found, source)


def refuse_unfit(
    baseline: Baseline, path: Path, audit: Audit, selection: Selection, rules_digest: str
) -> None:
    """Raise InputError for a baseline of other rules, another selection or another estate."""
    source = str(path)
    if baseline.rules_digest != rules_digest:
        raise InputError(source, f"was written under other rules or thresholds; {_AGAIN}")
    if baseline.selection and baseline.selection != selection.words:
        words = ", ".join(baseline.selection)
        raise InputError(source, f"holds a selection only ({words}); choose the same, or {_AGAIN}")
    managers = {one.endpoint: one.manager_id for one in baseline.endpoints}
    here = {one.endpoint: one.manager_id for one in audit.inventories}
    if managers.keys().isdisjoint(here):
        names = ", ".join(sorted(managers))
        raise InputError(source, f"was written for another estate ({names}); {_AGAIN}")
    for name in sorted(managers.keys() & here.keys()):
        if None not in (managers[name], here[name]) and managers[name] != here[name]:
            message = f"was written for another estate: {name!r} has another manager now"
            raise InputError(source, f"{message}; {_AGAIN}")


def compare(baseline: Baseline, audit: Audit, selection: Selection, tolerance: float) -> Compared:
    """The standing findings beside those of the baseline.

    Worse is a higher severity, or growth by more than the tolerance and by at least 1 GiB. What
    this look could not show (an endpoint not seen whole, a rule or datastore that was not asked
    for) is not resolved.
    """
    sizes = Sizes(audit.inventories)
    before = {one.fingerprint: one for one in baseline.findings}
    standing = [one for one in audit.findings if one.exemption is None]
    new = [one.fingerprint for one in standing if one.fingerprint not in before]
    worse = [
        one.fingerprint
        for one in standing
        if one.fingerprint in before
        and _is_worse(before[one.fingerprint], _known(one, sizes), tolerance)
    ]
    return Compared(
        since=f"the baseline of {baseline.created_at}",
        new=tuple(new),
        worse=tuple(worse),
        resolved=_resolved(baseline, audit, selection),
        known=len(standing) - len(new) - len(worse),
    )


def _resolved(baseline: Baseline, audit: Audit, selection: Selection) -> tuple[str, ...]:
    if selection.words != baseline.selection:
        return ()
    whole = {one.endpoint for one in audit.coverage if one.state is CoverageState.COMPLETE}
    left = {one.fingerprint for one in audit.findings}
    return tuple(
        one.fingerprint
        for one in baseline.findings
        if one.fingerprint not in left and one.endpoint in whole
    )


def _is_worse(before: KnownFinding, now: KnownFinding, tolerance: float) -> bool:
    sizes = (before.size_bytes, now.size_bytes)
    return is_worse(before.severity, now.severity, *sizes, tolerance)


def _known(finding: Finding, sizes: Sizes) -> KnownFinding:
    subject = finding.subject
    machine = f"{subject.vm_name} / " if subject.vm_name and subject.vm_id != subject.id else ""
    return KnownFinding(
        fingerprint=finding.fingerprint,
        rule=finding.rule,
        endpoint=subject.endpoint,
        severity=finding.severity,
        name=f"{machine}{subject.name}",
        size_bytes=sizes.of(finding),
    )


class Sizes:
    """How large the subjects of findings are, as far as they have a size that grows."""

    def __init__(self, inventories: tuple[Inventory, ...]) -> None:
        self._sizes: dict[tuple[str, SubjectKind, str | None, str], int | None] = {}
        for seen in inventories:
            at = seen.endpoint
            for stray in seen.strays:
                self._sizes[at, SubjectKind.FILE, None, stray.id] = stray.size_bytes
            for vm in seen.virtual_machines:
                all_sizes = [one.size_bytes for one in vm.snapshots]
                known = [size for size in all_sizes if size is not None]
                whole = sum(known) if len(known) == len(all_sizes) else None
                self._sizes[at, SubjectKind.VIRTUAL_MACHINE, vm.id, vm.id] = whole
                for one in vm.snapshots:
                    self._sizes[at, SubjectKind.SNAPSHOT, vm.id, one.id] = one.size_bytes

    def of(self, finding: Finding) -> int | None:
        """The bytes of what the finding is about; None: not known, or it has none of its own."""
        about = finding.subject
        return self._sizes.get((about.endpoint, about.kind, about.vm_id, about.id))


def _order(one: KnownFinding) -> tuple[str, str, str, str]:
    return one.endpoint, one.rule, one.name, one.fingerprint


def _digest(found: Mapping[str, Any]) -> str:
    body = {key: value for key, value in found.items() if key != "digest"}
    return hashlib.sha256(canonical(body)).hexdigest()


def _refuse_other_schema(source: str, schema: object) -> None:
    if schema == BASELINE_SCHEMA:
        return
    if isinstance(schema, str) and schema.startswith("snapaudit/baseline@"):
        message = f"has the schema {schema!r}, which a newer snapaudit wrote; this one reads"
        raise InputError(source, f"{message} {BASELINE_SCHEMA!r}")
    raise InputError(source, f"expected schema {BASELINE_SCHEMA!r}, found {schema!r}")


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
