"""History: where earlier runs are remembered, and for how long."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.config.accounts import password, url
from snapaudit.errors import InputError
from snapaudit.model.history import Keeping

KEYS = ("days", "weekly_days", "url", "password")
SCHEMES = ("postgresql", "postgres")
# A forecast looks at half a year, and "back again" at whatever there is.
FEWEST_DAYS = 30
_WHOSE = "the history"
_DAY = timedelta(days=1)


def history(node: Node, folder: Path) -> Keeping:
    """The history section. Durations are whole days."""
    found = expect.mapping(node, KEYS, may_hold_secrets=True)
    standing = Keeping()
    kept = Keeping(
        url=expect.optional(found, "url", _server, None),
        password=expect.optional(found, "password", lambda at: password(at, folder, _WHOSE), None),
        days=expect.optional(found, "days", _days, standing.days),
        weekly_days=expect.optional(found, "weekly_days", _days, standing.weekly_days),
    )
    if kept.url is None and kept.password is not None:
        raise InputError(found["password"].key_place, "a password is of use only with a url")
    if kept.weekly_days < kept.days:
        place = found.get("weekly_days", node).place
        message = f"weekly_days ({kept.weekly_days}d) must not be less than days ({kept.days}d)"
        raise InputError(place, message)
    return kept


def _server(node: Node) -> str:
    server = url(node)
    if urlsplit(server).scheme not in SCHEMES:
        message = "expected postgresql:// and a server, like postgresql://me@db.example.org/name"
        raise InputError(node.place, message)
    return server


def _days(node: Node) -> int:
    days = expect.duration(node) // _DAY
    if days < FEWEST_DAYS:
        raise expect.wrong(node, f"a duration of {FEWEST_DAYS}d or more, like 400d")
    return days
