"""Endpoints for the host of the bed, and what a run on it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from snapaudit.hypervisors.hyperv import parsing, transport
from snapaudit.hypervisors.hyperv.rows import Answer
from snapaudit.hypervisors.hyperv.runner import Runner
from snapaudit.model.endpoint import Account, Endpoint
from tests.beds.wsman.accounts import ACCOUNTS
from tests.beds.wsman.recording import printed, rows
from tests.beds.wsman.server import Host

[(USER, PASSWORD)] = ACCOUNTS.items()
SMALL = printed(rows(machines=2))


def small(_script: str, _argument: Mapping[str, Any]) -> Iterator[str]:
    """A host with two machines."""
    yield from SMALL


def endpoint(url: str, *, seconds: float = 30, **changes: Any) -> Endpoint:
    fields: dict[str, Any] = {
        "name": "hv1",
        "kind": "hyperv",
        "url": url,
        "account": Account(username=USER),
        "transport": "ntlm",
        "deadline": timedelta(seconds=seconds),
    }
    return Endpoint(**{**fields, **changes})


def runner(host: Host, *, password: str = PASSWORD, **changes: Any) -> Runner:
    chosen = endpoint(host.url, **changes)
    return transport.runner(chosen, chosen.account, password)


def collected(host: Host, **changes: Any) -> Answer:
    """What the collecting script says there."""
    return parsing.answer(runner(host, **changes).run("collect", {"sizes": True}), "hv1")
