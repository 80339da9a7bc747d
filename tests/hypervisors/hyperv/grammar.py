"""PowerShell scripts read by a real grammar: what they call, and what Windows PowerShell lacks.

The grammar knows PowerShell 7 in part and takes some of what no PowerShell takes; what it lets
through and this project must not have is looked for by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from snapaudit.hypervisors import hyperv

SCRIPTS = Path(hyperv.__file__).parent / "scripts"
_PARSER = Parser(Language(tree_sitter_powershell.language()))
# Newer than Windows PowerShell, or than 4.0.
_NEWER = frozenset({"pipeline_chain_tail", "class_statement", "enum_statement"})
_CALLS = "invokation_expression"


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it is written: its name, module and all, and its parameters."""

    name: str
    parameters: tuple[str, ...]
    text: str


def tree(text: str) -> Node:
    """The whole script as the grammar sees it."""
    return _PARSER.parse(text.encode()).root_node


def nodes(text: str) -> Iterator[Node]:
    """Every node of a script."""
    waiting = [tree(text)]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def complaints(text: str) -> list[str]:
    """What Windows PowerShell could not run, each with its line."""
    return [f"line {node.start_point[0] + 1}: {why}" for node in nodes(text) for why in _why(node)]


def _why(node: Node) -> Iterator[str]:
    if node.is_error or node.is_missing:
        yield f"no PowerShell: {source(node)[:40]!r}"
    if node.type in _NEWER:
        yield f"newer than Windows PowerShell: {node.type}"
    if node.type == "try_statement" and not _has_handler(node):
        yield "try without catch or finally"
    if node.type == "command":
        counted = Counter(name.lower() for name in _command(node).parameters)
        yield from (f"parameter {name} twice" for name, count in counted.items() if count > 1)


def _has_handler(node: Node) -> bool:
    return any(child.type in ("catch_clauses", "finally_clause") for child in node.children)


def source(node: Node) -> str:
    """The text of a node."""
    return (node.text or b"").decode()


def commands(text: str) -> list[Command]:
    """Every command that a script calls."""
    return [_command(node) for node in nodes(text) if node.type == "command"]


def _command(node: Node) -> Command:
    name = next((source(child) for child in node.children if child.type == "command_name"), "")
    elements = (child for child in node.children if child.type == "command_elements")
    parameters = (
        source(child)
        for element in elements
        for child in element.children
        if child.type == "command_parameter"
    )
    return Command(name, tuple(parameters), source(node))


def functions(text: str) -> set[str]:
    """The names of the functions that a script defines."""
    found = (node for node in nodes(text) if node.type == "function_name")
    return {source(node) for node in found}


def methods(text: str) -> set[str]:
    """Every method that a script calls, static ones with their type."""
    found = set()
    for node in nodes(text):
        if node.type == _CALLS:
            member = next(source(one) for one in node.children if one.type == "member_name")
            first = node.children[0]
            is_static = first.type == "type_literal"
            found.add(f"{source(first)}::{member}" if is_static else member)
    return found
