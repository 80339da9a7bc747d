"""Limits: how much one run may change."""

from __future__ import annotations

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.config.window import window
from snapaudit.errors import InputError
from snapaudit.model.limits import Limits, Reserve

KEYS = ("min_age", "max_actions", "max_share", "max_bytes", "min_free", "window")


def limits(node: Node) -> Limits:
    """The limits that are written, over the defaults for the others."""
    found = expect.mapping(node, KEYS)
    standing = Limits()
    return Limits(
        min_age=expect.optional(found, "min_age", expect.duration, standing.min_age),
        max_actions=expect.optional(found, "max_actions", expect.integer, standing.max_actions),
        max_share=expect.optional(found, "max_share", _share, standing.max_share),
        max_bytes=expect.optional(found, "max_bytes", expect.size, standing.max_bytes),
        min_free=expect.optional(found, "min_free", _reserve, standing.min_free),
        window=expect.optional(found, "window", window, standing.window),
    )


def _share(node: Node) -> float:
    ratio = expect.ratio(node)
    if ratio > 1:
        raise InputError(node.place, f"expected a share of at most 100%, found {node.value}")
    return ratio


def _reserve(node: Node) -> Reserve:
    if not isinstance(node.value, str):
        raise expect.wrong(node, "a share or a size with its unit, like 10% or 20GiB")
    if "%" in node.value:
        return Reserve(ratio=_share(node))
    return Reserve(bytes=expect.size(node))
