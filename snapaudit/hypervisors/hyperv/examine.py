"""What works at a Windows host: listener, login, service, versions, rights, clock, other nodes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

from snapaudit.errors import AccessDenied, HypervisorError, MissingSdk
from snapaudit.hypervisors.hyperv import nodes, parsing
from snapaudit.hypervisors.hyperv.address import parse_address
from snapaudit.hypervisors.hyperv.asking import ask_all
from snapaudit.hypervisors.hyperv.collect import Runners, skew
from snapaudit.hypervisors.hyperv.listener import listener
from snapaudit.hypervisors.hyperv.rows import Answer, HostRow
from snapaudit.hypervisors.hyperv.runner import Argument
from snapaudit.hypervisors.hyperv.transport import Session, Wire, wire
from snapaudit.hypervisors.hyperv.visiting import runners
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.examination import Peer, Probe, ProbeState, clock, counted

_WISH: Mapping[str, Argument] = {"sizes": False, "folders": False, "examine": True}
_SHARE_FOR_NODES = 0.8
_LOGIN = "check name and password; without JEA the account has to be an administrator there"
_MODULES = {Session.WINRS: "pywinrm", Session.POWERSHELL: "pypsrp", Session.JEA: "pypsrp"}


def peer_of(endpoint: Endpoint) -> Peer | None:
    """Where WinRM listens; None behind a proxy. Raises UsageError for a URL that is none."""
    address = parse_address(endpoint.url)
    if endpoint.options.get("proxy"):
        return None
    return Peer(host=address.host, port=address.port, is_tls=address.is_tls)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What a host said, as far as it came, and why it came no further."""

    answer: Answer
    failure: HypervisorError | None
    is_verified: bool
    skew: float | None


def examine(
    endpoint: Endpoint, password: str | None, enforcing: str | None, now: datetime
) -> Iterator[Probe]:
    """See `Examinable`. What runs on the hosts is the script of the audit, which only reads."""
    began = time.monotonic()
    way = wire(endpoint, endpoint.account, password)
    if way.proxy is None:
        found = listener(way.address, way.auth)
        yield found
        if found.state is ProbeState.FAILED:
            return
    ask = runners(endpoint, endpoint.account, password)
    first = _hear(ask, way.address.host, endpoint, now + _since(began))
    yield _login("login", way, first)
    if first.answer.host is not None:
        yield from _of_host(way, first.answer.host, first)
        until = began + endpoint.deadline.total_seconds() * _SHARE_FOR_NODES
        yield from _of_nodes(ask, endpoint, first.answer.host, now, began, until)
    if endpoint.enforce_as is not None and first.failure is None:
        at = now + _since(began)
        yield from _enforcement(endpoint, endpoint.enforce_as, enforcing, at)


def _hear(ask: Runners, host: str, endpoint: Endpoint, now: datetime) -> _Heard:
    asked_at, answer, failure = time.monotonic(), Answer(), None
    with closing(ask(host)) as runner:
        try:
            parsing.answer(runner.run("collect", _WISH), f"{endpoint.name}: {runner.host}", answer)
        except MissingSdk:
            raise
        except HypervisorError as error:
            failure = error
        is_verified = runner.is_verified
    told = answer.host.now if answer.host is not None else None
    off = skew(told, now, now + _since(asked_at))
    return _Heard(answer=answer, failure=failure, is_verified=is_verified, skew=off)


def _since(began: float) -> timedelta:
    return timedelta(seconds=time.monotonic() - began)


def _login(name: str, way: Wire, heard: _Heard) -> Probe:
    """A host that answered with a row has let us in, whatever went wrong after that."""
    if heard.answer.host is not None:
        asker = heard.answer.asker
        who = (asker.user if asker else "") or way.username or "the certificate's account"
        return _well(name, f"{who} is logged in by {way.auth}, session {way.session}")
    error = heard.failure
    said = str(error).removeprefix(f"{way.where}: ") if error else "it said nothing"
    return _bad(name, said, _LOGIN if isinstance(error, AccessDenied) else None)


def _of_host(way: Wire, host: HostRow, heard: _Heard) -> Iterator[Probe]:
    yield _versions(way, host, heard.answer)
    if not way.address.is_tls:
        yield _verified(heard)
    yield clock(heard.skew)
    asker = heard.answer.asker
    if asker is not None and asker.is_running is not None:
        yield _service(is_running=asker.is_running)
    yield _visible(way, heard)
    if heard.failure is None:
        yield _rights(way, heard.answer)


def _versions(way: Wire, host: HostRow, answer: Answer) -> Probe:
    module = answer.asker.module if answer.asker else None
    told = f", Hyper-V module {module}" if module else ""
    said = f"Windows {host.os}, PowerShell {host.powershell} ({host.language_mode}){told}"
    return _well("versions", f"{said}; {_library(_MODULES[way.session])}")


def _library(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} of an unknown version"


def _verified(heard: _Heard) -> Probe:
    if heard.is_verified:
        return _well("tls", "no TLS, but Kerberos proves who answers, and seals what is said")
    return Probe(
        name="tls",
        state=ProbeState.WARNING,
        sentence="no TLS: what is said is sealed, but nobody proves who answers: "
        "may be audited, never changed",
        repair="use an https URL (port 5986), or transport: kerberos",
    )


def _service(*, is_running: bool) -> Probe:
    if is_running:
        return _well("service", "the service for virtual machines (vmms) runs")
    return _bad("service", "the service for virtual machines (vmms) is stopped",
                "Start-Service vmms on the host")  # fmt: skip


def _visible(way: Wire, heard: _Heard) -> Probe:
    if heard.failure is not None:
        said, _, repair = str(heard.failure).removeprefix(f"{way.where}: ").partition(": ")
        return _bad("visible", said, repair or None)
    answer = heard.answer
    checkpoints = counted(len(answer.checkpoints), "checkpoint")
    said = f"{counted(len(answer.machines), 'machine')}, {checkpoints}"
    if not answer.errors and answer.machines:
        return _well("visible", said)
    first = f"; {answer.errors[0].message[:200]}" if answer.errors else ""
    return Probe(
        name="visible",
        state=ProbeState.WARNING,
        sentence=f"{said}{first}",
        repair="the account may see some machines only" if answer.errors else None,
    )


def _rights(way: Wire, answer: Answer) -> Probe:
    """Hyper-V has no group that may only read; a JEA role is the only thing that tells apart."""
    who = answer.asker
    if way.session is Session.JEA:
        return _well("audit rights", "the JEA endpoint lets it read all that an audit needs")
    group = "Administrators" if who and who.is_administrator else "Hyper-V Administrators"
    known = who is not None and (who.is_administrator or who.is_hyperv_administrator)
    because = f" (it is in {group})" if known else ""
    return Probe(
        name="audit rights",
        state=ProbeState.WARNING,
        sentence=f"may read all that an audit needs, and may delete as well{because}",
        repair="Hyper-V has no group that may only read: use session: jea, where audits must not",
    )


def _of_nodes(
    ask: Runners, endpoint: Endpoint, host: HostRow, now: datetime, began: float, until: float
) -> Iterator[Probe]:
    others = nodes.others(endpoint, host)
    for name, why in others.refused.items():
        yield _bad(f"node {name}", why, "name the nodes under nodes:")
    silent = dict(others.hosts)
    for name, said in ask_all(
        lambda node: _hear(ask, others.hosts[node], endpoint, now + _since(began)),
        others.hosts,
        until,
    ):
        silent.pop(name, None)
        yield _of_node(name, said)
    for name in silent:
        yield _bad(f"node {name}", "it did not answer in time", "check the host, and the firewall")


def _of_node(name: str, said: _Heard | Exception) -> Probe:
    if isinstance(said, _Heard) and said.failure is None:
        off = clock(said.skew)
        count = counted(len(said.answer.machines), "machine")
        repair = off.repair
        return Probe(
            name=f"node {name}", state=off.state, sentence=f"{count}; {off.sentence}", repair=repair
        )
    error = said.failure if isinstance(said, _Heard) else said
    if not isinstance(error, HypervisorError):
        raise error if error is not None else AssertionError(name)
    return _bad(f"node {name}", str(error), None)


def _enforcement(
    endpoint: Endpoint, account: Account, password: str | None, now: datetime
) -> Iterator[Probe]:
    way = wire(endpoint, account, password)
    heard = _hear(runners(endpoint, account, password), way.address.host, endpoint, now)
    login = _login("enforcement login", way, heard)
    yield login
    if login.state is ProbeState.FAILED:
        return
    yield _may_delete(way, heard)


def _may_delete(way: Wire, heard: _Heard) -> Probe:
    name = "enforcement rights"
    if heard.failure is not None:
        said, _, repair = str(heard.failure).removeprefix(f"{way.where}: ").partition(": ")
        return _bad(name, said, repair or None)
    if way.session is Session.JEA:
        return Probe(
            name=name,
            state=ProbeState.WARNING,
            sentence="whether its role may delete shows only when it does",
            repair="its role capability has to make Invoke-SnapauditRemove visible",
        )
    return _well(name, "may delete checkpoints, as every account that can list them")


def _well(name: str, sentence: str) -> Probe:
    return Probe(name=name, state=ProbeState.OK, sentence=sentence)


def _bad(name: str, sentence: str, repair: str | None) -> Probe:
    return Probe(name=name, state=ProbeState.FAILED, sentence=sentence, repair=repair)
