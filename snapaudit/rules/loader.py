"""Loader: from folders of rule files and the site's wishes to the Policy in force."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.errors import InputError, Place
from snapaudit.model.policy import Environment, Policy, Rule
from snapaudit.rules.environment import DEFAULT, refuse_unknown
from snapaudit.rules.levels import with_levels
from snapaudit.rules.rulefile import read_rule

_ENDINGS = (".yaml", ".yml")


def builtin_folder() -> Path:
    """The folder of the built-in pack: in an installed package beside this module, else at the top.

    Raises InputError when neither is there.
    """
    here = Path(__file__).resolve().parent
    candidates = (here / "pack", here.parents[1] / "rules")
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise InputError(str(candidates[0]), "the built-in rules are not there; install again")


def load_policy(
    folders: Sequence[Path],
    *,
    disable: Mapping[str, Place],
    levels: Mapping[str, Mapping[str, Mapping[str, Node]]],
    environments: tuple[Environment, ...],
) -> Policy:
    """The rules in force: the built-in pack, then each folder on top, in the order of their ids.

    A rule whose id the pack or an earlier folder has replaces that rule as a whole. ``levels`` maps
    rule, environment and grade to what stands in the configuration. Raises InputError with the
    place for every mistake, with the nearest known word for an unknown one.
    """
    known = {environment.name for environment in environments}
    rules = _read_folder(builtin_folder(), None)
    for folder in folders:
        rules |= _read_folder(folder, known)
    _refuse_unknown_rules(rules, disable, levels)
    _refuse_unknown_environments(environments, levels)
    for rule_id, wanted in levels.items():
        rules[rule_id] = with_levels(rules[rule_id], wanted)
    return Policy(
        rules=tuple(rule for _, rule in sorted(rules.items()) if rule.id not in disable),
        environments=environments,
        disabled=tuple(sorted(disable)),
    )


def _read_folder(folder: Path, environments: Collection[str] | None) -> dict[str, Rule]:
    """The rules of a folder. The pack may name environments that a site does not have."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS)
    except OSError as error:
        raise InputError(str(folder), f"no folder of rules: {error.strerror}") from error
    rules: dict[str, Rule] = {}
    for file in files:
        rule = read_rule(file, environments)
        if rule.id in rules:
            message = f"the rule {rule.id!r} stands in {rules[rule.id].source.source} too"
            raise InputError(rule.source, message)
        rules[rule.id] = rule
    return rules


def _refuse_unknown_rules(
    rules: Mapping[str, Rule],
    disable: Mapping[str, Place],
    levels: Mapping[str, Mapping[str, Mapping[str, Node]]],
) -> None:
    places = {rule_id: _place(wanted) for rule_id, wanted in levels.items()} | dict(disable)
    for rule_id, place in places.items():
        if rule_id not in rules:
            near = expect.nearest(rule_id, rules)
            raise InputError(place, f"there is no rule {rule_id!r}", nearest=near)


def _refuse_unknown_environments(
    environments: Iterable[Environment], levels: Mapping[str, Mapping[str, Mapping[str, Node]]]
) -> None:
    known = {DEFAULT, *(environment.name for environment in environments)}
    for wanted in levels.values():
        for name, grades in wanted.items():
            refuse_unknown(name, _place({name: grades}), known)


def _place(wanted: Mapping[str, Mapping[str, Node]]) -> Place:
    """Where the first level of an override stands: the nearest place that is known."""
    nodes = (node for grades in wanted.values() for node in grades.values())
    return next((node.key_place for node in nodes), Place("rules.levels"))
