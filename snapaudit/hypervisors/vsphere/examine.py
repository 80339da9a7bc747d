"""What works at a vCenter or host: login, clock, versions, what is visible, which rights on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from snapaudit.errors import AccessDenied, HypervisorError
from snapaudit.hypervisors.vsphere.address import parse_address
from snapaudit.hypervisors.vsphere.connecting import reading_service
from snapaudit.hypervisors.vsphere.paths import VIRTUAL_MACHINE
from snapaudit.hypervisors.vsphere.rights import Rights, Scope, read_rights, read_scope
from snapaudit.hypervisors.vsphere.roles import audit_probes, enforcement_probes, visible
from snapaudit.hypervisors.vsphere.service import Service
from snapaudit.hypervisors.vsphere.tags import read_tags
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.examination import Peer, Probe, ProbeState, clock, counted
from snapaudit.trust import trust

_FOR_TAGS = 0.25
_LOOK_BACK = timedelta(hours=1)
_LOGIN = "check name and password; the account may also be locked, or its password have expired"

Open = Callable[[Endpoint, Account, str | None], Service]
Clock = Callable[[], datetime]


def peer_of(endpoint: Endpoint) -> Peer:
    """Where it listens. Raises UsageError for a URL that is no address of a vCenter."""
    address = parse_address(endpoint.url)
    return Peer(host=address.host, port=address.port)


def examine(
    endpoint: Endpoint,
    password: str | None,
    enforcing: str | None,
    now: datetime,
    log_in: Open = reading_service,
) -> Iterator[Probe]:
    """See `Examinable`. Also the acting account gets a session that can only read."""
    ours = _running(now)
    try:
        service = log_in(endpoint, endpoint.account, password)
    except HypervisorError as error:
        yield _no_login("login", endpoint, error)
        return
    with closing(service):
        yield _well("login", f"{endpoint.account.username} is logged in")
        yield _versions(service)
        yield clock((service.clock() - ours()).total_seconds())
        scope = read_scope(service)
        yield visible(scope)
        searches = bool(endpoint.options.get("search_orphans", False))
        judge = partial(audit_probes, searches=searches)
        yield from _rights(endpoint, service, scope, "rights", judge)
        yield from _tasks(endpoint, service)
        yield from _tags(endpoint, service, scope, password)
    if endpoint.enforce_as is not None:
        yield from _enforcement(endpoint, endpoint.enforce_as, enforcing, scope, log_in)


def _enforcement(
    endpoint: Endpoint, account: Account, password: str | None, audited: Scope, log_in: Open
) -> Iterator[Probe]:
    try:
        service = log_in(endpoint, account, password)
    except HypervisorError as error:
        yield _no_login("enforcement login", endpoint, error)
        return
    with closing(service):
        yield _well("enforcement login", f"{account.username} is logged in")
        scope = read_scope(service)
        judge = partial(enforcement_probes, audited=audited)
        yield from _rights(endpoint, service, scope, "enforcement rights", judge)


def _rights(
    endpoint: Endpoint,
    service: Service,
    scope: Scope,
    name: str,
    judge: Callable[[Rights], Iterator[Probe]],
) -> Iterator[Probe]:
    try:
        rights = read_rights(service, scope)
    except HypervisorError as error:
        said = f"the server does not tell which rights are held: {_own(endpoint, error)}"
        yield Probe(name=name, state=ProbeState.UNKNOWN, sentence=said)
        return
    yield from judge(rights)


def _versions(service: Service) -> Probe:
    about = service.about
    try:
        module = f"pyvmomi {version('pyvmomi')}"
    except PackageNotFoundError:
        module = "pyvmomi of an unknown version"
    return _well("versions", f"{about.full_name}, API {about.api_version}; {module}")


def _running(now: datetime) -> Clock:
    """A clock that goes on from now."""
    began = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - began)


def _tasks(endpoint: Endpoint, service: Service) -> Iterator[Probe]:
    if not endpoint.options.get("creators", True):
        return
    try:
        found = list(service.creations(service.clock() - _LOOK_BACK))
    except HypervisorError as error:
        yield Probe(
            name="creators",
            state=ProbeState.WARNING,
            sentence=f"who made a snapshot cannot be told: {_own(endpoint, error)}",
            repair="creators: false does without",
        )
        return
    yield _well(
        "creators", f"tasks can be read; {counted(len(found), 'snapshot')} made in the last hour"
    )


def _tags(
    endpoint: Endpoint, service: Service, scope: Scope, password: str | None
) -> Iterator[Probe]:
    if not service.about.is_vcenter or not endpoint.options.get("tags", True):
        return
    seconds = endpoint.deadline.total_seconds() * _FOR_TAGS
    line = parse_address(endpoint.url).connection(trust(endpoint.tls), seconds)
    name, machines = endpoint.account.username or "", scope.of(VIRTUAL_MACHINE)
    tags = read_tags(line, name, password or "", machines, seconds)
    why = tags.gap or tags.blind_spot
    if why is not None:
        yield Probe(
            name="tags",
            state=ProbeState.WARNING,
            sentence=f"tags cannot be read: {why}",
            repair="mend it, or say tags: false; until then no environment and no hold goes by tag",
        )
    else:
        yield _well("tags", f"{len(tags.names):,} of {len(machines):,} machines carry tags")


def _no_login(name: str, endpoint: Endpoint, error: HypervisorError) -> Probe:
    return Probe(
        name=name,
        state=ProbeState.FAILED,
        sentence=_own(endpoint, error),
        repair=_LOGIN if isinstance(error, AccessDenied) else None,
    )


def _own(endpoint: Endpoint, error: HypervisorError) -> str:
    return str(error).removeprefix(f"{endpoint.name}: ")


def _well(name: str, sentence: str) -> Probe:
    return Probe(name=name, state=ProbeState.OK, sentence=sentence)
