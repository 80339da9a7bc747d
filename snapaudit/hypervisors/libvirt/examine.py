"""What works at a libvirt endpoint: connecting to read, connecting to change, what is visible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

from snapaudit.errors import MissingSdk, SnapauditError
from snapaudit.hypervisors.libvirt.address import Address, parse_address
from snapaudit.hypervisors.libvirt.client import Client
from snapaudit.hypervisors.libvirt.raw import Greeting
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.examination import Peer, Probe, ProbeState, counted

# An ssh host may be a name that only ssh's own configuration knows, so it is not looked up.
_LOGIN = "try the same there: virsh -r -c URL list --all"
_PORTS = {"tls": 16514, "tcp": 16509}


def peer_of(address: Address) -> Peer | None:
    """Host and port of a connection that libvirt makes itself; None: a socket or a tunnel.

    Libvirt checks certificates by itself, in both directions: the server's is only looked at.
    """
    transport = address.transport or ("tls" if address.host else "unix")
    if address.host is None or address.is_test_driver or transport not in _PORTS:
        return None
    port = urlsplit(address.url).port or _PORTS[transport]
    is_tls = transport == "tls"
    return Peer(host=address.host, port=port, is_tls=is_tls, checks_itself=is_tls)


def examine(endpoint: Endpoint, password: str | None, enforcing: str | None) -> Iterator[Probe]:
    """See `Examinable`. A writable connection is opened and closed; nothing is called on it."""
    client = Client(endpoint.name, endpoint.url)
    try:
        client.connect(endpoint.account.username, password)
    except MissingSdk:
        raise
    except SnapauditError as error:
        yield Probe(
            name="login", state=ProbeState.FAILED, sentence=_own(endpoint, error), repair=_LOGIN
        )
        return
    with closing(client):
        yield _verified(parse_address(endpoint.url))
        yield from _seen(client.greeting())
    if endpoint.enforce_as is not None:
        yield from _enforcement(endpoint, endpoint.enforce_as, enforcing)


def _seen(greeting: Greeting) -> Iterator[Probe]:
    who = f"{greeting['hostname']} ({greeting['driver']})"
    yield _well("login", f"{who} answers to a read-only connection")
    library, hypervisor = greeting["library_version"], greeting["hypervisor_version"]
    yield _well(
        "versions", f"libvirt {_version(library)}, hypervisor {_version(hypervisor)}; {_module()}"
    )
    yield _well("clock", "libvirt does not tell it; ages of snapshots go by the host's clock")
    yield _well("audit rights", "the connection can only read, whoever the account is")
    count = ", ".join(
        (counted(greeting["domains"], "machine"), counted(greeting["pools"], "storage pool"))
    )
    if greeting["domains"]:
        yield _well("visible", count)
    else:
        yield Probe(
            name="visible",
            state=ProbeState.WARNING,
            sentence=count,
            repair="a session daemon and access rules show an account its own machines only",
        )


def _module() -> str:
    try:
        return f"libvirt-python {version('libvirt-python')}"
    except PackageNotFoundError:
        return "libvirt-python of an unknown version"


def _verified(address: Address) -> Probe:
    if address.is_verified:
        return _well("tls", "libvirt knows who answers: a socket, ssh, or TLS with certificates")
    return Probe(
        name="tls",
        state=ProbeState.WARNING,
        sentence="nobody checks who answers: may be audited, never changed",
        repair="use qemu+tls:// or qemu+ssh://, without no_verify=1",
    )


def _enforcement(endpoint: Endpoint, account: Account, password: str | None) -> Iterator[Probe]:
    client = Client(endpoint.name, endpoint.url, writable=True)
    try:
        client.connect(account.username, password)
    except SnapauditError as error:
        yield Probe(
            name="enforcement login",
            state=ProbeState.FAILED,
            sentence=_own(endpoint, error),
            repair="let the account manage libvirt there (its group, polkit, or SASL)",
        )
        return
    client.close()
    yield _well("enforcement login", f"{account.username} may open a writable connection")
    said = "that may change machines; what access rules take from it shows only when it acts"
    yield _well("enforcement rights", said)


def _well(name: str, sentence: str) -> Probe:
    return Probe(name=name, state=ProbeState.OK, sentence=sentence)


def _own(endpoint: Endpoint, error: SnapauditError) -> str:
    return str(error).removeprefix(f"{endpoint.name}: ")


def _version(number: int) -> str:
    """Libvirt's own coding: 9000000 is 9.0.0."""
    return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
