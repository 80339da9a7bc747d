"""One rule file to one Rule: every key checked, every mistake told with its place."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node, read_yaml
from snapaudit.errors import InputError
from snapaudit.model.policy import Condition, Mode, Remedy, Rule, Severity, SubjectKind
from snapaudit.rules.cases import read_cases
from snapaudit.rules.conditions import read_condition
from snapaudit.rules.environment import DEFAULT, refuse_unknown

ID_PATTERN = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
REQUIRED = ("id", "title", "subject", "levels", "why", "fix")
OPTIONAL = (
    *("unless", "remedy", "mode", "grace", "notice", "with_memory", "honours_expiry"),
    *("environments", "cases"),
)
# What a remedy acts on; beside another subject it would promise what no plan can hold.
FITTING = {
    Remedy.DELETE_SNAPSHOT: SubjectKind.SNAPSHOT,
    Remedy.CONSOLIDATE: SubjectKind.VIRTUAL_MACHINE,
}
_ID = re.compile(ID_PATTERN, re.ASCII)
Levels = dict[Severity, Condition]


def read_rule(path: Path, environments: Collection[str] | None = None) -> Rule:
    """The rule of a file, named like its id. Raises InputError with the place.

    ``environments`` are the names it may have levels for besides ``default``; None: any.
    """
    node = read_yaml(path)
    keys = expect.mapping(node, OPTIONAL, required=REQUIRED)
    subject = expect.word(keys["subject"], SubjectKind)
    own = _environments(keys.get("environments"), subject, environments)
    return Rule(
        id=_id(keys["id"], path),
        title=expect.text(keys["title"]),
        subject=subject,
        levels=_levels(keys["levels"], subject),
        environment_levels=own,
        unless=read_condition(keys["unless"], subject) if "unless" in keys else None,
        remedy=_remedy(keys["remedy"], subject) if "remedy" in keys else None,
        mode=_mode(keys),
        grace=_grace(keys),
        notice=_notice(keys),
        with_memory=_with_memory(keys),
        honours_expiry=_honours_expiry(keys, subject),
        why=expect.text(keys["why"]),
        fix=expect.text(keys["fix"]),
        source=keys["id"].place,
        cases=read_cases(keys["cases"], subject, {DEFAULT, *own}) if "cases" in keys else (),
    )


def _id(node: Node, path: Path) -> str:
    rule_id = expect.text(node)
    if _ID.fullmatch(rule_id) is None:
        expected = "an id of small letters, digits and single hyphens, like stale-snapshot"
        raise expect.wrong(node, expected)
    if rule_id != path.stem:
        message = f"the id {rule_id!r} and the name of the file {path.name!r} differ"
        raise InputError(node.place, message)
    return rule_id


def _remedy(node: Node, subject: SubjectKind) -> Remedy:
    remedy = expect.word(node, Remedy)
    if FITTING[remedy] is not subject:
        message = f"{remedy} is for rules about a {FITTING[remedy]}, not about a {subject}"
        raise InputError(node.place, message)
    return remedy


def _mode(keys: dict[str, Node]) -> Mode:
    mode = expect.word(keys["mode"], Mode) if "mode" in keys else Mode.REPORT
    if mode is not Mode.REPORT and "remedy" not in keys:
        raise InputError(keys["mode"].place, f"mode '{mode}' needs a remedy")
    if mode is Mode.MARK and "grace" not in keys:
        message = "mode 'mark' needs a grace, as in grace: 7d: how long it is announced first"
        raise InputError(keys["mode"].place, message)
    return mode


def _grace(keys: dict[str, Node]) -> timedelta | None:
    """The announced span; written beside another mode it would promise what nothing keeps."""
    if "grace" not in keys:
        return None
    node = keys["grace"]
    if _mode(keys) is not Mode.MARK:
        raise InputError(node.key_place, "grace is for mode 'mark'; write mode: mark, or leave it")
    grace = expect.duration(node)
    if not grace:
        raise InputError(node.place, "a grace of nothing announces nothing; write mode: apply")
    return grace


def _notice(keys: dict[str, Node]) -> timedelta | None:
    """A reminder inside the announced span; a longer one would come before the announcement."""
    if "notice" not in keys:
        return None
    node, grace = keys["notice"], _grace(keys)
    if grace is None:
        raise InputError(node.key_place, "notice is for mode 'mark', before its grace is over")
    notice = expect.duration(node)
    if not timedelta() < notice < grace:
        raise InputError(node.place, "a notice is longer than nothing and shorter than the grace")
    return notice


def _with_memory(keys: dict[str, Node]) -> bool:
    if "with_memory" not in keys:
        return False
    node, remedy = keys["with_memory"], keys.get("remedy")
    if remedy is None or remedy.value != Remedy.DELETE_SNAPSHOT:
        message = f"with_memory needs remedy: {Remedy.DELETE_SNAPSHOT}; nothing else asks for it"
        raise InputError(node.key_place, message)
    return expect.boolean(node)


def _honours_expiry(keys: dict[str, Node], subject: SubjectKind) -> bool:
    if "honours_expiry" not in keys:
        return False
    node = keys["honours_expiry"]
    if subject is not SubjectKind.SNAPSHOT:
        message = f"honours_expiry is for rules about a snapshot: a {subject} declares no last day"
        raise InputError(node.key_place, message)
    return expect.boolean(node)


def _levels(node: Node, subject: SubjectKind) -> Levels:
    entries = expect.mapping(node, tuple(Severity))
    if not entries:
        raise InputError(node.place, f"needs at least one of {', '.join(Severity)}")
    return {
        severity: read_condition(entries[severity], subject)
        for severity in Severity
        if severity in entries
    }


def _environments(
    node: Node | None, subject: SubjectKind, known: Collection[str] | None
) -> dict[str, Levels]:
    entries = expect.mapping(node) if node is not None else {}
    if known is not None:
        for name, child in entries.items():
            refuse_unknown(name, child.key_place, {DEFAULT, *known})
    return {name: _levels(child, subject) for name, child in entries.items()}
