"""Every command line that the documentation shows is one that the program understands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from snapaudit.cli.commands import application
from tests.docs.test_docs import ROOT, pages

TREE: Any = typer.main.get_command(application())
_IN_A_BLOCK = re.compile(r"^\s*\$ .*?\b(snapaudit [a-z].*)$", re.MULTILINE)
_IN_A_SENTENCE = re.compile(r"(?<!\\)`(snapaudit [a-z][^`]*)`")
# What stands for several words at once is a picture of commands, and none to type.
_PICTURE = re.compile(r"[|…]|\.\.\.|\[")


def shown(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    lines = [line for block in blocks for line in _IN_A_BLOCK.findall(block)]
    lines = [line for line in lines if "pip" not in line.split("snapaudit")[0]]
    return lines + [line for line in _IN_A_SENTENCE.findall(outside) if not _PICTURE.search(line)]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_a_page_shows_are_understood(page: Path) -> None:
    for line in shown(page):
        words = shlex.split(re.split(r"\s[|>]|;", line)[0], comments=True)[1:]
        wanted, command = list(words), TREE
        while hasattr(command, "commands") and words:
            name = words.pop(0)
            assert name in command.commands, f"{page.name}: {line}: {wanted}"
            command = command.commands[name]
        if not hasattr(command, "commands"):
            _parse(command, words, line)


def _parse(command: Any, words: list[str], line: str) -> None:
    """Options have to exist; what a sentence leaves out besides is no fault."""
    for word in words:
        if word.startswith("-"):
            known = {one for param in command.params for one in param.opts}
            assert word.split("=")[0] in known | {"-h", "--help"}, line


def test_lines_are_found_at_all() -> None:
    assert sum(len(shown(page)) for page in pages()) > 80


def test_readme_shows_every_command_once_at_least() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in TREE.commands if f"snapaudit {name}" not in readme] == []
