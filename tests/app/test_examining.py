"""Examining endpoints: each in its own process, none able to hold or end the others."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from snapaudit import registry
from snapaudit.app.examining import examine, look
from snapaudit.app.worker import Failure
from snapaudit.errors import InputError, Unreachable
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.examination import Examination, Peer, Probe, ProbeState
from tests.builders import NOW


def endpoint(name: str = "t", url: str = "test:///default", **changes: Any) -> Endpoint:
    fields: dict[str, Any] = {"name": name, "kind": "libvirt", "url": url}
    return Endpoint(**{**fields, **changes})


def no_secret(_: Account) -> str | None:
    return None


def examined(*endpoints: Endpoint, secret: Any = no_secret) -> tuple[Examination, ...]:
    return examine(endpoints, NOW, secret, lambda _: None).endpoints


def names(one: Examination) -> list[str]:
    return [probe.name for probe in one.probes]


def test_each_endpoint_is_examined_and_they_come_by_name() -> None:
    second, first = endpoint("b"), endpoint("a", kind="no-such-kind")
    found = examined(second, first)
    assert [one.endpoint for one in found] == ["a", "b"]
    assert [one.is_well for one in found] == [False, True]
    assert found[0].probes[-1].name == "answer"
    assert "no hypervisor of kind" in found[0].probes[-1].sentence


def test_endpoint_without_an_acting_account_says_so_in_the_end() -> None:
    [one] = examined(endpoint())
    assert one.probes[-1].name == "enforcement"
    assert "enforce_as" in one.probes[-1].sentence


def test_password_that_cannot_be_had_is_told_and_nobody_is_asked() -> None:
    def secret(_: Account) -> str | None:
        raise InputError("snapaudit.yaml", "the password cannot be had")

    [one] = examined(endpoint(), secret=secret)
    assert names(one) == ["password"]
    assert not one.is_well


def test_acting_accounts_password_that_cannot_be_had_leaves_the_rest_to_look_at() -> None:
    def secret(account: Account) -> str | None:
        if account.username == "clean":
            raise InputError("snapaudit.yaml", "the password cannot be had")
        return None

    [one] = examined(endpoint(enforce_as=Account(username="clean")), secret=secret)
    assert names(one)[0] == "password of enforce_as"
    assert "login" in names(one)
    assert "enforcement" not in names(one)
    assert not one.is_well


def test_silent_endpoint_ends_at_its_deadline_and_keeps_what_was_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system"
        silent = endpoint("silent", url, deadline=timedelta(seconds=4))
        [one] = examined(silent)
    assert names(one) == ["name", "port", "answer"]
    assert "deadline of 4 s" in one.probes[-1].sentence
    assert not one.is_well


# in this process ----------------------------------------------------------------------------------


class Platform:
    """A platform to be examined, which shows these probes and may then fail."""

    def __init__(self, *probes: Probe, error: Exception | None = None, port: int | None = None):
        self._probes, self._error, self._port = probes, error, port

    def peer(self, endpoint: Endpoint) -> Peer | None:
        return None if self._port is None else Peer(host="127.0.0.1", port=self._port)

    def examine(
        self, endpoint: Endpoint, password: str | None, enforcing: str | None, now: datetime
    ) -> Iterator[Probe]:
        yield from self._probes
        if self._error is not None:
            raise self._error


WELL = Probe(name="login", state=ProbeState.OK, sentence="in")


def looked(monkeypatch: pytest.MonkeyPatch, platform: object) -> tuple[list[object], object]:
    monkeypatch.setattr(registry, "hypervisor", lambda _: platform)
    told: list[object] = []
    return told, look(endpoint(), None, None, NOW, told.append)


def test_what_was_seen_is_told_before_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    told, end = looked(monkeypatch, Platform(WELL, error=Unreachable("t: reset")))
    assert (told, end) == ([WELL], Failure("t: reset"))


def test_bug_in_a_platform_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    told, end = looked(monkeypatch, Platform(WELL, error=KeyError("x")))
    assert (told, end) == ([WELL], Failure("internal error: KeyError: 'x'"))


def test_server_that_cannot_be_reached_is_not_logged_in_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    told, end = looked(monkeypatch, Platform(WELL, port=port))
    assert WELL not in told
    assert end is None


def test_platform_that_cannot_be_examined_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    told, end = looked(monkeypatch, object())
    [probe] = told
    assert isinstance(probe, Probe)
    assert (probe.state, end) == (ProbeState.UNKNOWN, None)


def test_no_endpoint_is_held_up_by_another() -> None:
    """The well one is told long before the silent one's deadline, by its progress."""
    seen = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system"
        silent = endpoint("a", url, deadline=timedelta(seconds=6))
        found = examine(
            [silent, endpoint("b")],
            NOW,
            no_secret,
            lambda step: seen.set() if step.endpoint == "b" else None,
        ).endpoints
    assert seen.is_set()
    assert [one.is_well for one in found] == [False, True]
