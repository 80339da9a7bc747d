"""Reports: the folder for published reports, and how many of them stay."""

from __future__ import annotations

from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node

KEYS = ("keep",)


def reports(node: Node, folder: Path) -> tuple[Path, int | None]:
    """A path alone keeps every report; ``{path: ..., keep: 53}`` the newest 53."""
    if not isinstance(node.value, dict):
        return expect.path(node, folder), None
    found = expect.mapping(node, KEYS, required=("path",))
    return expect.path(found["path"], folder), expect.optional(found, "keep", _keep, None)


def _keep(node: Node) -> int:
    number = expect.integer(node)
    if not number:
        raise expect.wrong(node, "how many reports stay, 1 or more")
    return number
