from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.model.policy import Environment
from tests.config.written import fault, settings


def test_environments_keep_their_order_and_every_condition(tmp_path: Path) -> None:
    text = """\
    version: 1
    environments:
      - {name: prod, where: {tags: [prod], endpoints: [vc-berlin]}}
      - {name: test, where: {names: ["test-*"], ids: [vm-7]}}
      - {name: prod, where: {names: ["db*"]}}
    """
    assert settings(tmp_path, text).environments == (
        Environment(name="prod", tags=frozenset({"prod"}), endpoints=frozenset({"vc-berlin"})),
        Environment(name="test", names=("test-*",), ids=frozenset({"vm-7"})),
        Environment(name="prod", names=("db*",)),
    )


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("▶{where: {tags: [a]}}", "the key 'name' is missing"),
        ("▶{name: prod}", "the key 'where' is missing"),
        ("{name: prod, where: ▶{}}", "is empty; write at least one entry"),
        ("{name: prod, where: {tags: ▶[]}}", "is empty; write at least one entry"),
        ("{name: prod, where: {tags: ▶prod}}", "expected a list, found 'prod'"),
        ("{name: prod, where: {tags: [a, ▶2]}}", "expected text, found 2"),
        ("{name: prod, where: {▶tag: [a]}}", "unknown key 'tag'"),
        ("{name: ▶default, where: {tags: [a]}}", "'default' already names the machines"),
    ],
)
def test_wrong_environment_is_told_at_its_place(tmp_path: Path, marked: str, said: str) -> None:
    assert fault(tmp_path, f"version: 1\nenvironments:\n  - {marked}\n").startswith(said)


def test_disabled_rules_and_levels_keep_their_places(tmp_path: Path) -> None:
    text = """\
    version: 1
    rules:
      disable: [anonymous-snapshot, long-chain]
      levels: {stale-snapshot: {prod: {warning: 24h, critical: 72h}}}
    """
    rules = settings(tmp_path, text).rules
    assert [(rule, place.line, place.column) for rule, place in rules.disable.items()] == [
        ("anonymous-snapshot", 3, 13),
        ("long-chain", 3, 33),
    ]
    warning = rules.levels["stale-snapshot"]["prod"]["warning"]
    assert (warning.value, warning.place.line, warning.place.column) == ("24h", 4, 45)
    assert list(rules.levels["stale-snapshot"]["prod"]) == ["warning", "critical"]


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("{folders: ▶rules}", "expected a list, found 'rules'"),
        ("{disable: [▶1]}", "expected text, found 1"),
        ("{▶disabled: []}", "unknown key 'disabled'"),
        ("{levels: {stale-snapshot: ▶{}}}", "is empty; write at least one entry"),
        ("{levels: {stale-snapshot: {prod: ▶{}}}}", "is empty; write at least one entry"),
        ("{levels: {stale-snapshot: {prod: ▶24h}}}", "expected a mapping, found '24h'"),
        ("{levels: {stale-snapshot: {prod: {▶warn: 24h}}}}", "unknown key 'warn'"),
    ],
)
def test_wrong_rule_setting_is_told_at_its_place(tmp_path: Path, marked: str, said: str) -> None:
    assert fault(tmp_path, f"version: 1\nrules: {marked}\n").startswith(said)
