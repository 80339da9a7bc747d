"""Examine endpoints side by side: each within its deadline and in a process of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial

from snapaudit import registry
from snapaudit.app.reaching import reach
from snapaudit.app.worker import Failure, preload, work_within
from snapaudit.errors import SnapauditError
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.examination import Examination, Examinations, Probe, ProbeState
from snapaudit.ports import DONE, Examinable, Progress, Step
from snapaudit.redaction import hide, redacted

AT_ONCE = 8
SecretOfAccount = Callable[[Account], str | None]
_WORKS = (ProbeState.OK, ProbeState.WARNING)
_NO_ENFORCEMENT = Probe(
    name="enforcement",
    state=ProbeState.OK,
    sentence="no account to delete with is named (enforce_as), so its rights are not looked at",
)


def examine(
    endpoints: Sequence[Endpoint],
    now: datetime,
    secret_of_account: SecretOfAccount,
    progress: Progress,
) -> Examinations:
    """Look at each endpoint as far as it goes. What is in the way is a probe that failed."""
    stop = threading.Event()
    preload(endpoint.kind for endpoint in endpoints)

    def one(endpoint: Endpoint) -> Examination:
        found = _examined(endpoint, now, secret_of_account, progress, stop)
        progress(Step(endpoint=endpoint.name, phase=DONE))
        return found

    with ThreadPoolExecutor(min(AT_ONCE, max(1, len(endpoints)))) as threads:
        try:
            found = threads.map(one, sorted(endpoints, key=lambda item: item.name))
            return Examinations(examined_at=now, endpoints=tuple(found))
        except KeyboardInterrupt:
            stop.set()
            threads.shutdown(cancel_futures=True)
            raise


def _examined(
    endpoint: Endpoint,
    now: datetime,
    secret_of_account: SecretOfAccount,
    progress: Progress,
    stop: threading.Event,
) -> Examination:
    probes = list[Probe]()

    def hear(news: object) -> None:
        if isinstance(news, Probe):
            probes.append(news)
            progress(Step(endpoint=endpoint.name, phase=f"looked at {news.name}"))

    answer: object = None
    try:
        password = secret_of_account(endpoint.account)
    except SnapauditError as error:
        probes.append(_failed("password", str(error)))
    else:
        known, enforcing = _enforcing(endpoint, secret_of_account, probes)
        work = partial(look, known, password, enforcing, now)
        answer = work_within(endpoint.deadline, work, hear, stop)
    if isinstance(answer, Failure):
        probes.append(_failed("answer", answer.reason.removeprefix(f"{endpoint.name}: ")))
    elif endpoint.enforce_as is None and all(one.state in _WORKS for one in probes):
        probes.append(_NO_ENFORCEMENT)
    return Examination(endpoint=endpoint.name, hypervisor=endpoint.kind, probes=tuple(probes))


def _enforcing(
    endpoint: Endpoint, secret_of_account: SecretOfAccount, probes: list[Probe]
) -> tuple[Endpoint, str | None]:
    """The acting account's password. Without it the rest can be looked at all the same."""
    if endpoint.enforce_as is None:
        return endpoint, None
    try:
        return endpoint, secret_of_account(endpoint.enforce_as)
    except SnapauditError as error:
        probes.append(_failed("password of enforce_as", str(error)))
        return replace(endpoint, enforce_as=None), None


def look(
    endpoint: Endpoint,
    password: str | None,
    enforcing: str | None,
    now: datetime,
    tell: Callable[[object], None],
) -> Failure | None:
    """Examine an endpoint in this process, and tell each probe as it comes."""
    hide(password)
    hide(enforcing)
    try:
        for probe in _probes(endpoint, password, enforcing, now):
            tell(replace(probe, sentence=redacted(probe.sentence)))
    except SnapauditError as error:
        return Failure(str(error))
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - one broken endpoint must not take the run with it
        return Failure(redacted(f"internal error: {type(error).__name__}: {error}"))
    return None


def _probes(
    endpoint: Endpoint, password: str | None, enforcing: str | None, now: datetime
) -> Iterator[Probe]:
    platform = registry.hypervisor(endpoint.kind)
    if not isinstance(platform, Examinable):
        yield Probe(
            name="examination",
            state=ProbeState.UNKNOWN,
            sentence=f"endpoints of kind {endpoint.kind} cannot be examined yet",
            repair=f"snapaudit audit --endpoint {endpoint.name} tells whether it can be read",
        )
        return
    peer = platform.peer(endpoint)
    for probe in reach(peer, endpoint.tls, now) if peer is not None else ():
        yield probe
        if probe.state is ProbeState.FAILED:
            return
    yield from platform.examine(endpoint, password, enforcing, now)


def _failed(name: str, sentence: str) -> Probe:
    return Probe(name=name, state=ProbeState.FAILED, sentence=sentence)
