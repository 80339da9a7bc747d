"""SARIF 2.1.0: results for code scanning, in the shape and within the limits GitHub documents.

A run may hold 25,000 results, of which GitHub keeps the 5,000 worst, and a rule 20 tags; a packed
file may have 10 MB. The worst come first, and a notification says what was left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from snapaudit import __version__
from snapaudit.model.check import Checked, is_whole_view
from snapaudit.model.finding import Finding
from snapaudit.model.policy import Rule, Severity
from snapaudit.report.check.lines import budget, change, summary, unseen, worst_first
from snapaudit.report.check.listing import FILE, Listing, listing
from snapaudit.report.escape import plain
from snapaudit.report.headline import cautions
from snapaudit.report.phrases import evidences
from snapaudit.report.rows import placed_name

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
MOST_RESULTS, MOST_SHOWN, MOST_TAGS = 25_000, 5_000, 20
_LEVELS = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
# Wider ones of 25,000 results could be more than 10 MB, however well they are packed.
_WIDEST_NAME, _WIDEST_TEXT = 100, 400
_STATES = {"new": "new", "worse": "updated", "known": "unchanged"}


def render(checked: Checked) -> bytes:
    """One run with the rules in force as its metadata."""
    run = {
        "tool": {"driver": _driver(checked)},
        "automationDetails": {"id": "snapaudit/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(checked)],
        "artifacts": [{"location": {"uri": FILE}, "mimeType": "text/plain"}],
        "results": list(_results(checked)),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, indent=1, ensure_ascii=False) + "\n").encode()


# Rules ----------------------------------------------------------------------------------------


def _driver(checked: Checked) -> dict[str, Any]:
    known = {rule.id for rule in checked.rules}
    others = dict.fromkeys(one.rule for one in checked.check.findings if one.rule not in known)
    return {
        "name": "snapaudit",
        "semanticVersion": __version__,
        "rules": [*map(_rule, checked.rules), *({"id": name} for name in others)],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    worst = max(rule.levels, key=lambda grade: grade.rank)
    return {
        "id": rule.id,
        "shortDescription": {"text": plain(rule.title)},
        "fullDescription": {"text": plain(rule.why)},
        "help": {"text": plain(f"{rule.why} {rule.fix}")},
        "defaultConfiguration": {"level": _LEVELS[worst]},
        "properties": {
            "tags": ["snapshots", str(rule.subject), *sorted(rule.levels)][:MOST_TAGS],
            "problem.severity": "recommendation" if worst is Severity.INFO else _LEVELS[worst],
            "precision": "high",
        },
    }


# The view -------------------------------------------------------------------------------------


def _invocation(checked: Checked) -> dict[str, Any]:
    check = checked.check
    is_whole = is_whole_view(check.coverage) and not check.unseen
    return {
        "executionSuccessful": is_whole,
        "exitCode": check.exit_code,
        "endTimeUtc": f"{checked.audit.audited_at:%Y-%m-%dT%H:%M:%SZ}",
        "toolExecutionNotifications": list(_notifications(checked)),
        "properties": {"status": str(check.status), "summary": plain(summary(check))},
    }


def _notifications(checked: Checked) -> Iterator[dict[str, Any]]:
    check, count = checked.check, len(checked.check.findings)
    yield from (_notification("error", f"not seen: {spot}") for spot in unseen(check))
    yield from (_notification("note", one.line) for one in cautions(check.coverage))
    yield from (_notification("note", budget(one)) for one in check.budgets)
    if count > MOST_RESULTS:
        text = f"{count:,} findings; only the {MOST_RESULTS:,} worst are in this file"
        yield _notification("warning", text)
    elif count > MOST_SHOWN:
        text = f"{count:,} findings; GitHub keeps the {MOST_SHOWN:,} worst of a file"
        yield _notification("warning", text)


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": plain(text)}}


# Results --------------------------------------------------------------------------------------


def _results(checked: Checked) -> Iterator[dict[str, Any]]:
    order = {rule.id: number for number, rule in enumerate(checked.rules)}
    for one in checked.check.findings:
        order.setdefault(one.rule, len(order))
    places = listing(checked.audit)
    for one in worst_first(checked.check.findings)[:MOST_RESULTS]:
        yield _result(checked, one, order[one.rule], places)


def _result(checked: Checked, one: Finding, number: int, places: Listing) -> dict[str, Any]:
    name = placed_name(one.subject)
    text = f"{plain(name, _WIDEST_NAME)}: {plain(evidences(one.evidence), _WIDEST_TEXT)}"
    result: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": number,
        "level": _LEVELS[one.severity],
        "message": {"text": text},
        "locations": [_location(one, places)],
        # GitHub tells results apart by this one; its ending numbers equal lines.
        "partialFingerprints": {
            "primaryLocationLineHash": f"{one.fingerprint}:1",
            "snapauditFinding/v1": one.fingerprint,
        },
    }
    if one.exemption is not None:
        reason = plain(one.exemption, _WIDEST_TEXT)
        result["suppressions"] = [{"kind": "external", "justification": reason}]
    elif state := _STATES.get(change(checked.check, one)):
        result["baselineState"] = state
    return result


def _location(one: Finding, places: Listing) -> dict[str, Any]:
    subject = one.subject
    path = "/".join(part for part in (subject.endpoint, subject.vm_id, subject.id) if part)
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": FILE, "index": 0},
            "region": {"startLine": places.line_of(subject)},
        },
        "logicalLocations": [
            {
                "name": plain(subject.name, _WIDEST_NAME),
                "fullyQualifiedName": plain(path, _WIDEST_NAME),
                "kind": str(subject.kind),
            }
        ],
    }
