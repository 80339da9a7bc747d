"""Approvals: how many people have to sign a plan, and who they may be."""

from __future__ import annotations

from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.model.approvals import Approvals

KEYS = ("needed", "signers")


def approvals(node: Node, folder: Path) -> Approvals:
    """Both keys have to be written; a relative path is taken from the folder."""
    found = expect.mapping(node, KEYS, required=KEYS)
    return Approvals(needed=_needed(found["needed"]), signers=expect.path(found["signers"], folder))


def _needed(node: Node) -> int:
    if expect.integer(node) < 1:
        raise expect.wrong(node, "a whole number, 1 or more; without approvals leave the key out")
    return expect.integer(node)
