"""Mail: the server that takes reports, and who gets them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.config.accounts import password, tls, url
from snapaudit.config.settings import ConfiguredSecret, Mail, WhenClean
from snapaudit.errors import InputError
from snapaudit.model.endpoint import Tls

REQUIRED = ("smtp", "from", "to")
OPTIONAL = (
    *("username", "password", "tls", "starttls"),
    *("per_owner", "owners", "owner_domains", "when_clean", "attach"),
)
_WHOSE = "the mail server"
SCHEMES = ("smtp", "smtps")
# Plain ASCII: none can smuggle in a second header, and every server takes it.
_ADDRESS = re.compile(
    r"[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", re.ASCII
)
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", re.ASCII)


def mail(node: Node, folder: Path) -> Mail:
    """The mail section."""
    found = expect.mapping(node, OPTIONAL, required=REQUIRED, may_hold_secrets=True)
    server, sender = _smtp(found["smtp"]), _address(found["from"])
    secret = expect.optional(found, "password", lambda at: password(at, folder, _WHOSE), None)
    starttls = expect.optional(found, "starttls", expect.boolean, not is_loopback(server))
    _check_clear(found, server, starttls, secret)
    return Mail(
        smtp=server,
        sender=sender,
        to=_addresses(found["to"]),
        username=_username(found, server, sender) if secret is not None else None,
        password=secret,
        tls=expect.optional(found, "tls", lambda at: tls(at, folder), Tls()),
        starttls=starttls,
        per_owner=expect.optional(found, "per_owner", expect.boolean, False),
        owners=expect.optional(found, "owners", _owners, {}),
        owner_domains=expect.optional(found, "owner_domains", _domains, ()),
        when_clean=expect.optional(
            found, "when_clean", lambda at: expect.word(at, WhenClean), WhenClean.SEND
        ),
        attach=expect.optional(found, "attach", expect.boolean, True),
    )


def owner_key(name: str) -> str:
    """A name as it is compared: without case, width and the number of spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def is_loopback(server: str) -> bool:
    """Whether an address of a server means this very machine."""
    host = urlsplit(server).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_address(text: str) -> bool:
    """Whether a text is a plain mail address and nothing besides."""
    return _ADDRESS.fullmatch(text) is not None


def _smtp(node: Node) -> str:
    server = url(node)
    parts = urlsplit(server)
    is_bare = parts.path in ("", "/") and not parts.query and not parts.fragment
    if parts.scheme not in SCHEMES or not parts.hostname or not is_bare:
        message = "expected smtp:// or smtps:// and a host, like smtps://mail.example.org"
        raise InputError(node.place, message)
    return server


def _username(found: Mapping[str, Node], server: str, sender: str) -> str:
    """Who logs in: as written, else as the URL says, else the sender."""
    in_url = urlsplit(server).username
    standing = unquote(in_url) if in_url else sender
    return expect.optional(found, "username", expect.line, standing)


def _check_clear(
    found: Mapping[str, Node], server: str, starttls: bool, secret: ConfiguredSecret | None
) -> None:
    """No password in the clear over a network, and no key that would do nothing."""
    if "starttls" in found and server.startswith("smtps:"):
        message = "starttls goes with smtp:// only; smtps:// is encrypted from the beginning"
        raise InputError(found["starttls"].key_place, message)
    if secret is None and "username" in found:
        raise InputError(found["username"].key_place, "a username is of use only with a password")
    if secret is not None and not starttls and not is_loopback(server):
        message = "without starttls the password would be sent in the clear; remove one of the two"
        raise InputError(found["password"].key_place, message)


def _addresses(node: Node) -> tuple[str, ...]:
    found = tuple(_address(item) for item in expect.sequence(node))
    if not found:
        raise expect.wrong(node, "at least one address")
    return tuple(dict.fromkeys(found))


def _address(node: Node) -> str:
    written = expect.line(node)
    if not is_address(written):
        raise expect.wrong(node, "a mail address like virt-team@example.org")
    return written


def _owners(node: Node) -> dict[str, str]:
    owners: dict[str, str] = {}
    for name, address in expect.mapping(node).items():
        key = owner_key(name)
        if key in owners:
            message = f"{name!r} differs from an earlier name only in case, width or spaces"
            raise InputError(address.key_place, message)
        owners[key] = _address(address)
    return owners


def _domains(node: Node) -> tuple[str, ...]:
    return tuple(_domain(item) for item in expect.sequence(node))


def _domain(node: Node) -> str:
    written = expect.line(node).removeprefix("@").lower()
    if not _DOMAIN.fullmatch(written):
        raise expect.wrong(node, "the part of addresses behind the @, like example.org")
    return written
