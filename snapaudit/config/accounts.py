"""Who asks, over what: accounts, where their passwords are, TLS and addresses.

A password that stands in the file by mistake is refused, and no message repeats it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.config.settings import ConfiguredSecret
from snapaudit.errors import InputError
from snapaudit.model.endpoint import Account, SecretSource, Tls

ACCOUNT_KEYS = ("username", "password")
TLS_KEYS = ("ca_file", "fingerprint", "verify")

_ONE_OF = (
    "exactly one of {env: VARIABLE}, {file: PATH}, {command: PROGRAM ARGUMENTS}, "
    "{keyring: SERVICE/NAME}, {credential: NAME} or {prompt: true}"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# Wider than a URL's grammar: a password with / or ? in it is cut off there, and yet is one.
_PASSWORD_IN_URL = re.compile(r"://[^/]*:.*@")
_FINGERPRINT = re.compile(r"sha256:(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}", re.ASCII)


def acting_account(node: Node, folder: Path, endpoint: str) -> Account:
    """The account that changes things; it always has a name of its own."""
    found = expect.mapping(node, ACCOUNT_KEYS, required=("username",), may_hold_secrets=True)
    username = expect.line(found["username"])
    return Account(username=username, password=password_of(found, folder, username, endpoint))


def password_of(
    found: Mapping[str, Node], folder: Path, username: str | None, endpoint: str
) -> ConfiguredSecret | None:
    """Where the password of an account is, if it has one."""
    whose = f"{username} at {endpoint}" if username else endpoint
    return expect.optional(found, "password", lambda at: password(at, folder, whose), None)


def password(node: Node, folder: Path, whose: str) -> ConfiguredSecret:
    """Where a password is. It is fetched when it is needed, not now.

    ``whose`` is what a person is asked who has to type it.
    """
    if not isinstance(node.value, dict):
        message = f"a password never stands in the configuration; expected {_ONE_OF}"
        raise InputError(node.place, message)
    if len(node.value) != 1:
        raise InputError(node.place, f"expected {_ONE_OF}")
    [(key, value)] = node.value.items()
    if key not in set(SecretSource):
        near = expect.nearest(key, SecretSource)
        raise InputError(value.key_place, f"expected {_ONE_OF}", nearest=near)
    source = SecretSource(key)
    if source is SecretSource.PROMPT:
        if not expect.boolean(value):
            raise InputError(value.place, "expected true: whoever runs it types the password")
        return ConfiguredSecret(source=source, name=whose, place=node.place)
    if not isinstance(value.value, str):
        raise InputError(value.place, f"expected text after {source}:")
    name = _NAMES[source](value, folder)
    return ConfiguredSecret(source=source, name=name, place=node.place)


def _variable(node: Node, _folder: Path) -> str:
    name = expect.line(node)
    if not _VARIABLE.fullmatch(name):
        message = "expected the name of an environment variable: letters, digits and _"
        raise InputError(node.place, message)
    return name


def _file(node: Node, folder: Path) -> str:
    return str(expect.path(node, folder))


def _command(node: Node, folder: Path) -> str:
    try:
        words = shlex.split(expect.line(node))
    except ValueError:
        words = []
    if not words or not words[0]:
        raise InputError(node.place, "expected a program with its arguments, quotes closed")
    if "/" in words[0]:
        words[0] = str(folder / words[0])
    return shlex.join(words)


def _keyring(node: Node, _folder: Path) -> str:
    service, _, name = expect.line(node).partition("/")
    if not service or not name:
        raise InputError(node.place, "expected SERVICE/NAME, like snapaudit/hv1")
    return f"{service}/{name}"


def _credential(node: Node, _folder: Path) -> str:
    name = expect.line(node)
    if "/" in name or name in (".", ".."):
        message = "expected the name that LoadCredential= gives it in the systemd unit"
        raise InputError(node.place, message)
    return name


_NAMES: dict[SecretSource, Callable[[Node, Path], str]] = {
    SecretSource.ENV: _variable,
    SecretSource.FILE: _file,
    SecretSource.COMMAND: _command,
    SecretSource.KEYRING: _keyring,
    SecretSource.CREDENTIAL: _credential,
}


def tls(node: Node, folder: Path) -> Tls:
    """How the other side is recognised: one way only, so that it is clear which one counts."""
    found = expect.mapping(node, TLS_KEYS)
    verify = expect.optional(found, "verify", expect.boolean, True)
    ways: list[str] = [key for key in ("ca_file", "fingerprint") if key in found]
    ways += [] if verify else ["verify: false"]
    if len(ways) > 1:
        raise InputError(node.place, f"{' and '.join(ways)} exclude each other; keep one")
    return Tls(
        ca_file=expect.optional(found, "ca_file", lambda item: _file(item, folder), None),
        fingerprint=expect.optional(found, "fingerprint", _fingerprint, None),
        verify=verify,
    )


def _fingerprint(node: Node) -> str:
    written = expect.line(node).lower()
    if not _FINGERPRINT.fullmatch(written):
        message = "expected sha256: and the 64 hexadecimal digits of the certificate's digest"
        raise InputError(node.place, message)
    return "sha256:" + written.removeprefix("sha256:").replace(":", "")


def url(node: Node) -> str:
    """An address with its scheme and without a password."""
    written = expect.line(node)
    if _PASSWORD_IN_URL.search(written):
        message = "the URL holds a password; leave it out, and say under password: where it is"
        raise InputError(node.place, message)
    if not _is_url(written):
        message = "expected a URL with its scheme, like https://vc.example.org or qemu:///system"
        raise InputError(node.place, message)
    return written


def _is_url(written: str) -> bool:
    """Answers only: the parser's own error repeats what it read."""
    try:
        parts = urlsplit(written)
        return bool(parts.scheme) and "://" in written and parts.port != 0
    except ValueError:
        return False
