"""``snapaudit init`` on a terminal: asks for endpoints one by one, and tries each at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from snapaudit.app.drafting import check_address, drafted, fingerprint_to_pin
from snapaudit.app.gather import KINDS
from snapaudit.cli.options import clock, terminal_width
from snapaudit.cli.reading import secret_of_account, type_in
from snapaudit.codec.expect import nearest
from snapaudit.config.template import text
from snapaudit.errors import InputError, UsageError
from snapaudit.model.endpoint import Account, Endpoint, SecretReference, SecretSource, Tls
from snapaudit.model.examination import Examination
from snapaudit.report.escape import plain

_ADDRESSES = {
    "vsphere": "https://vcenter.example.org",
    "libvirt": "qemu+ssh://audit@kvm1.example.org/system",
    "hyperv": "https://hv1.example.org:5986/wsman",
    "xen": "https://xcp1.example.org",
}
_SOURCES = "prompt, env VARIABLE, file PATH, command PROGRAM, keyring SERVICE/NAME, credential NAME"
_PATIENCE = timedelta(seconds=30)


def interview(path: Path, found: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """The endpoints that a person names; those that were found here come first.

    ``path`` is where the configuration will be: what is relative in it starts there. Raises
    KeyboardInterrupt for the end of input.
    """
    chosen = [one for one in found if _agreed(f"Audit {one.url} on this machine?", default=True)]
    _say("Endpoints to audit, one by one. Nothing is written before the end.")
    while (kind := _kind()) is not None:
        one = _valid(path, chosen, kind)
        if one is not None:
            chosen.append(_tried(path, chosen, one))
    return tuple(chosen)


def _kind() -> str | None:
    while True:
        word = _ask("Kind (vsphere, libvirt, hyperv, xen; Enter when there are no more)").lower()
        if not word or word in KINDS:
            return word or None
        near = nearest(word, KINDS)
        _say(f"There is no kind {word!r}" + (f"; did you mean {near}?" if near else "."))


def _valid(path: Path, others: Sequence[Endpoint], kind: str) -> Endpoint | None:
    """An endpoint that the configuration can hold; None where the person gives up on it."""
    one = _described(kind, others)
    try:
        _read_back(path, others, one)
        check_address(one)
    except (InputError, UsageError) as error:
        _say(error.message if isinstance(error, InputError) else str(error))
        return _valid(path, others, kind) if _agreed("Try again?", default=True) else None
    return one


def _described(kind: str, others: Sequence[Endpoint]) -> Endpoint:
    url = _ask(f"Address, like {_ADDRESSES[kind]}")
    name = _ask("Name", default=_free(_host(url) or kind, [one.name for one in others]))
    if kind == "libvirt":
        return Endpoint(name=name, kind=kind, url=url)  # its sockets, ssh and TLS ask for neither
    username = _ask("Account that reads")
    account = Account(username=username or None, password=_source())
    return Endpoint(name=name, kind=kind, url=url, account=account)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _free(name: str, taken: Sequence[str]) -> str:
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (name, *numbered) if one not in taken)


def _source() -> SecretReference:
    """Where the password is; the password itself is never asked for here."""
    while True:
        word, _, rest = _ask(f"Where its password is ({_SOURCES})", default="prompt").partition(" ")
        is_known = word in set(SecretSource)
        if is_known and bool(rest) is (word != SecretSource.PROMPT):
            return SecretReference(source=SecretSource(word), name=rest.strip())
        _say("Say which of these, and what stands behind it, like: env VC_PASSWORD")


def _read_back(path: Path, others: Sequence[Endpoint], one: Endpoint) -> Endpoint:
    """The endpoint as the file would say it, with the place of its password for messages."""
    return drafted(text([*others, one]), path).endpoints[-1]


def _tried(path: Path, others: Sequence[Endpoint], one: Endpoint) -> Endpoint:
    """The endpoint, with its certificate pinned if somebody vouched for it."""
    found = _examined(_read_back(path, others, one))
    shown = fingerprint_to_pin(one, found)
    if shown is None:
        return one
    _say(f"Its certificate is {shown}. Look it up on the server itself, not over this network.")
    if not _agreed("Is it that one, and shall it be pinned?", default=False):
        return one
    pinned = replace(one, tls=Tls(fingerprint=shown))
    _examined(_read_back(path, others, pinned))
    return pinned


def _examined(endpoint: Endpoint) -> Examination:
    from snapaudit.app.examining import examine
    from snapaudit.report.examination import render_examinations

    type_in([endpoint])
    _say(f"Trying {endpoint.name} ...")
    hurried = replace(endpoint, deadline=min(endpoint.deadline, _PATIENCE))
    found = examine([hurried], clock(), secret_of_account, lambda _step: None)
    page = render_examinations(found, width=terminal_width(), colour=False)
    sys.stderr.write(f"{page.decode()}\n")
    return found.endpoints[0]


def _agreed(question: str, *, default: bool) -> bool:
    answer = _ask(f"{question} (yes/no)", default="yes" if default else "no")
    return answer.lower() in ("y", "yes")


def _ask(question: str, *, default: str = "") -> str:
    shown = f" [{default}]" if default else ""
    sys.stderr.write(plain(f"{question}{shown}: "))
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line.strip() or default


def _say(line: str) -> None:
    sys.stderr.write(f"{plain(line)}\n")
