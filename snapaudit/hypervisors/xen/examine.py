"""What works at a pool: login, clock, versions, what is visible, and the rights of each account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version

from snapaudit.errors import AccessDenied, HypervisorError, MissingSdk
from snapaudit.hypervisors.xen import rights
from snapaudit.hypervisors.xen.address import parse_address
from snapaudit.hypervisors.xen.client import Client
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.reading import read_pool
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.examination import Peer, Probe, ProbeState, clock, counted

_LOGIN = "check name and password; roles other than root's need the pool to know a directory"


def peer_of(endpoint: Endpoint) -> Peer:
    """Where the pool listens. Raises UsageError for a URL that is none of a pool."""
    address = parse_address(endpoint.url)
    return Peer(host=address.host, port=address.port)


def examine(endpoint: Endpoint, password: str | None, enforcing: str | None) -> Iterator[Probe]:
    """See `Examinable`. Also the acting account gets a session that can only read."""
    with closing(Client(endpoint, endpoint.account, password)) as client:
        failed = _not_in(client, endpoint, "login")
        if failed is not None:
            yield failed
            return
        yield _well("login", f"{endpoint.account.username} is logged in")
        pool = read_pool(client, lambda _name, _count: None)
        yield from _of_pool(pool)
        yield _audit_rights(client)
    if endpoint.enforce_as is not None:
        yield from _enforcement(endpoint, endpoint.enforce_as, enforcing)


def _not_in(client: Client, endpoint: Endpoint, name: str) -> Probe | None:
    """Log in; why that failed."""
    try:
        client.log_in()
    except MissingSdk:
        raise
    except HypervisorError as error:
        repair = _LOGIN if isinstance(error, AccessDenied) else None
        own = str(error).removeprefix(f"{endpoint.name}: ")
        return Probe(name=name, state=ProbeState.FAILED, sentence=own, repair=repair)
    return None


def _of_pool(pool: Pool) -> Iterator[Probe]:
    hosts = sorted(pool.hosts.values(), key=lambda host: host.name)
    told = ", ".join(sorted({host.version for host in hosts})) or "no host"
    yield _well("versions", f"{told}; {_module()}")
    yield clock(pool.skew)
    machines = f"{counted(len(hosts), 'host')}, {counted(len(pool.machines), 'machine')}"
    if pool.machines and not pool.gaps:
        yield _well("visible", machines)
    else:
        first = f"; {pool.gaps[0].subject}: {pool.gaps[0].reason}" if pool.gaps else ""
        repair = None if pool.gaps else "a pool without any machine is audited as suspicious"
        yield Probe(
            name="visible",
            state=ProbeState.WARNING,
            sentence=f"{machines}{first}",
            repair=repair,
        )


def _module() -> str:
    try:
        return f"XenAPI {version('XenAPI')}"
    except PackageNotFoundError:
        return "XenAPI of an unknown version"


def _audit_rights(client: Client) -> Probe:
    """An account that only audits needs no right to delete."""
    if rights.missing(client):
        return _well(
            "audit rights", f"{client.username} may read all that an audit needs, and no more"
        )
    return Probe(
        name="audit rights",
        state=ProbeState.WARNING,
        sentence=f"{client.username} may read all that an audit needs, and may delete as well",
        repair="audit with the role read-only, and name an account under enforce_as to delete",
    )


def _enforcement(endpoint: Endpoint, account: Account, password: str | None) -> Iterator[Probe]:
    with closing(Client(endpoint, account, password)) as client:
        failed = _not_in(client, endpoint, "enforcement login")
        if failed is not None:
            yield failed
            return
        yield _well("enforcement login", f"{account.username} is logged in")
        missing = rights.missing(client)
        if missing:
            yield Probe(
                name="enforcement rights",
                state=ProbeState.FAILED,
                sentence=f"{account.username} may not call {', '.join(missing)}",
                repair=f"give it the role {rights.ROLE}",
            )
        elif rights.is_superuser(client):
            yield Probe(
                name="enforcement rights",
                state=ProbeState.WARNING,
                sentence=f"{account.username} may delete, and everything else as well",
                repair=f"the role {rights.ROLE} is enough",
            )
        else:
            yield _well("enforcement rights", f"{account.username} may delete snapshots")


def _well(name: str, sentence: str) -> Probe:
    return Probe(name=name, state=ProbeState.OK, sentence=sentence)
