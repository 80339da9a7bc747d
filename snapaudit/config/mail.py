"""Mail: where reports are sent."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.config.accounts import password, url
from snapaudit.config.settings import Mail
from snapaudit.errors import InputError

REQUIRED = ("smtp", "from", "to")
OPTIONAL = ("password",)
SCHEMES = ("smtp", "smtps")
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+")


def mail(node: Node, folder: Path) -> Mail:
    """The mail section. Addresses are plain ones, so that none can smuggle in a second header."""
    found = expect.mapping(node, OPTIONAL, required=REQUIRED, may_hold_secrets=True)
    return Mail(
        smtp=_smtp(found["smtp"]),
        sender=_address(found["from"]),
        to=_addresses(found["to"]),
        password=expect.optional(found, "password", lambda at: password(at, folder), None),
    )


def _smtp(node: Node) -> str:
    server = url(node)
    parts = urlsplit(server)
    if parts.scheme not in SCHEMES or not parts.hostname:
        message = "expected smtp:// or smtps:// and a host, like smtps://mail.example.org"
        raise InputError(node.place, message)
    return server


def _addresses(node: Node) -> tuple[str, ...]:
    found = tuple(_address(item) for item in expect.sequence(node))
    if not found:
        raise expect.wrong(node, "at least one address")
    return found


def _address(node: Node) -> str:
    written = expect.line(node)
    if not _ADDRESS.fullmatch(written):
        raise expect.wrong(node, "a mail address like virt-team@example.org")
    return written
