"""What ``--help`` says of every command, and that its examples are command lines that work."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer.main

from snapaudit.cli.commands import NAMES, application
from snapaudit.cli.helping import examples
from snapaudit.codec.documents import inventories_document
from tests.builders import inventory, snapshot, vm
from tests.cli.running import snapaudit

ALONE = (
    *("rules list", "rules show", "rules validate", "rules test", "rules coverage"),
    *("rules schema", "rules docs", "exempt add", "exempt list", "exempt lint", "hold add"),
    *("hold list", "history", "journal list", "journal verify", "diff", "forecast"),
    *("audit --demo", "report --demo", "explain stale-snapshot"),
)
"""What needs no endpoint: each example that begins so is run."""


def leaves(tree: Any, *words: str) -> Iterator[tuple[str, Any]]:
    for name, command in tree.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, *words, name)
        else:
            yield " ".join((*words, name)), command


TREE: Any = typer.main.get_command(application())
COMMANDS = dict(leaves(TREE))
EXAMPLES = [line for command in COMMANDS.values() for line in examples(command.help)]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_a_sentence_an_example_and_what_each_option_is_for(name: str) -> None:
    command = COMMANDS[name]
    ran = command.get_help(command.make_context(name, [], resilient_parsing=True))
    first = command.help.strip().split("\n\n")[0]
    assert first.rstrip().endswith("."), first
    assert examples(command.help), name
    for line in examples(command.help):
        assert f"\n  {line}" in ran, "an example is not broken, so that it can be copied"
        assert line.startswith(f"snapaudit {name}"), line
    for param in command.params:
        assert param.help, f"{name}: {param.name}"
    for ugly in ("<", "{", "[]"):
        assert ugly not in ran.replace("<done|no-effect|abandoned>", ""), ran


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_is_a_command_line_that_is_understood(line: str) -> None:
    words = shlex.split(line)
    assert words.pop(0) == "snapaudit"
    command = TREE
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context("snapaudit", words)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recorded runs, saved inventories and a rule of one's own."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "my-rules").mkdir()
    shown = snapaudit("rules", "show", "long-chain", cwd=folder)
    (folder / "my-rules/long-chain.yaml").write_text(shown.out, encoding="utf-8")
    (folder / "exemptions.yaml").write_text("version: 1\nexemptions: []\n", encoding="utf-8")
    for age, name in ((8, "inventory.json"), (1, "today.json.gz")):
        seen = inventory(vm("web01", snapshot("before-upgrade", age="9d")))
        seen = replace(seen, collected_at=datetime.now(UTC) - timedelta(days=age))
        body = inventories_document([seen], compress=name.endswith("gz"))
        (folder / name).write_bytes(body)
        assert snapaudit("audit", "--inventory", name, cwd=folder).code == 0
    return folder


@pytest.mark.parametrize(
    "line", [one for one in EXAMPLES if one.removeprefix("snapaudit ").startswith(ALONE)]
)
def test_example_that_needs_no_endpoint_works(prepared: Path, tmp_path: Path, line: str) -> None:
    line = line.replace("/srv/backup", str(tmp_path)).replace("2026-12-31", f"{_next_month():%F}")
    ran = snapaudit(*shlex.split(line)[1:], cwd=prepared)
    assert ran.code in (0, 3), ran.err


def _next_month() -> datetime:
    return datetime.now(UTC) + timedelta(days=30)


def test_list_of_commands_tells_each_with_its_whole_sentence() -> None:
    page = TREE.get_help(TREE.make_context("snapaudit", [], resilient_parsing=True))
    assert "..." not in page.split("Commands:")[1]
    assert [name for name in NAMES if f"\n  {name} " not in page] == []
