"""``snapaudit init``: a commented configuration to start from."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from typer import Option

from snapaudit.app.drafting import check_address, drafted
from snapaudit.app.local import local_endpoints
from snapaudit.cli.exits import Exit
from snapaudit.cli.writing import write_file
from snapaudit.config.template import text
from snapaudit.errors import InputError, UsageError
from snapaudit.model.endpoint import Account, Endpoint, SecretReference, SecretSource, Tls
from snapaudit.report.escape import plain

Text = str | None


def command(
    output: Annotated[
        Path, Option("-o", "--output", help="Where to write it.", metavar="FILE")
    ] = Path("snapaudit.yaml"),
    kind: Annotated[
        Text, Option(help="An endpoint: vsphere, libvirt, hyperv or xen.", metavar="KIND")
    ] = None,
    url: Annotated[Text, Option(help="Its address.", metavar="URL")] = None,
    name: Annotated[Text, Option(help="Its name (else its kind).", metavar="NAME")] = None,
    username: Annotated[Text, Option(help="The account that reads.", metavar="NAME")] = None,
    password_env: Annotated[
        Text, Option(help="The variable that holds its password.", metavar="VARIABLE")
    ] = None,
    password_file: Annotated[Text, Option(help="Or the file.", metavar="PATH")] = None,
    password_command: Annotated[
        Text, Option(help="Or the program that prints it.", metavar="COMMAND")
    ] = None,
    password_keyring: Annotated[
        Text, Option(help="Or the entry of the keyring.", metavar="SERVICE/NAME")
    ] = None,
    password_credential: Annotated[
        Text, Option(help="Or the credential of the systemd unit.", metavar="NAME")
    ] = None,
    password_prompt: Annotated[bool, Option("--password-prompt", help="Or you type it.")] = False,
    ca_file: Annotated[Text, Option(help="Whose certificates to trust.", metavar="PATH")] = None,
    fingerprint: Annotated[
        Text, Option(help="Or the one certificate to trust.", metavar="sha256:...")
    ] = None,
    force: Annotated[bool, Option("--force", help="Replace a file that is there.")] = False,
    yes: Annotated[bool, Option("--yes", help="Ask nothing; replace a file as well.")] = False,
) -> int:
    """Write a commented snapaudit.yaml. On a terminal it asks for endpoints, and tries each.

    With --kind and --url it asks nothing. A libvirt daemon on this machine is found by itself.

    Example: snapaudit init
    Example: snapaudit init --kind xen --url https://xcp1 --username audit --password-env XCP1
    """
    if output.exists() and not (force or yes):
        raise UsageError(f"{output} exists; name another with -o, or replace it with --force")
    sources = {
        SecretSource.ENV: password_env,
        SecretSource.FILE: password_file,
        SecretSource.COMMAND: password_command,
        SecretSource.KEYRING: password_keyring,
        SecretSource.CREDENTIAL: password_credential,
        SecretSource.PROMPT: "true" if password_prompt else None,
    }
    account = Account(username=username, password=_password(sources))
    tls = Tls(ca_file=ca_file, fingerprint=fingerprint)
    endpoints = _named(kind, url, name, account, tls)
    if endpoints is None:
        endpoints = _found(output, asks=sys.stdin.isatty() and not yes)
    body = text(endpoints)
    drafted(body, output)
    write_file(output, body.encode())
    _tell(output, endpoints)
    return Exit.DONE


def _password(sources: dict[SecretSource, Text]) -> SecretReference | None:
    given = [(source, value) for source, value in sources.items() if value is not None]
    if len(given) > 1:
        named = " and ".join(f"--password-{source}" for source, _ in given)
        raise UsageError(f"{named} exclude each other: a password is in one place")
    return SecretReference(source=given[0][0], name=given[0][1]) if given else None


def _named(
    kind: Text, url: Text, name: Text, account: Account, tls: Tls
) -> tuple[Endpoint, ...] | None:
    """The endpoint of the options; None where there is not one of them."""
    if kind is None and url is None:
        if name is not None or account != Account() or tls != Tls():
            raise UsageError("an endpoint needs --kind and --url")
        return None
    if kind is None or url is None:
        raise UsageError(f"an endpoint needs {'--kind' if kind is None else '--url'} too")
    if tls.ca_file and tls.fingerprint:
        raise UsageError("--ca-file and --fingerprint exclude each other")
    one = Endpoint(name=name or kind, kind=kind, url=url, account=account, tls=tls)
    check_address(_read_back(one))
    return (one,)


def _read_back(one: Endpoint) -> Endpoint:
    """As the configuration will have it. A mistake is told without a place: no file has it yet."""
    try:
        [read] = drafted(text([one]), Path("options")).endpoints
    except InputError as error:
        hint = f" (did you mean {error.nearest!r}?)" if error.nearest else ""
        raise UsageError(f"{error.message}{hint}") from error
    return read


def _found(output: Path, *, asks: bool) -> tuple[Endpoint, ...]:
    found = local_endpoints(os.environ)
    if not asks:
        return found
    from snapaudit.cli.interview import interview

    return interview(output, found)


def _tell(output: Path, endpoints: tuple[Endpoint, ...]) -> None:
    what = ", ".join(one.url for one in endpoints) or "no hypervisor found here; add yours"
    sys.stderr.write(plain(f"{output}: written ({what})") + "\n")
    if endpoints:
        sys.stderr.write("next: snapaudit doctor, then snapaudit audit\n")
