"""One visit to an endpoint: the first host, the other nodes in the form of its URL, one account."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from snapaudit.errors import UsageError
from snapaudit.hypervisors.hyperv import transport
from snapaudit.hypervisors.hyperv.address import parse_address
from snapaudit.hypervisors.hyperv.collect import Runners, collect
from snapaudit.hypervisors.hyperv.runner import Runner
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.ports import Actuator, Progress


def visit(endpoint: Endpoint, password: str | None, now: datetime, progress: Progress) -> Inventory:
    """Everything the endpoint shows. See `ports.Hypervisor.collect`."""
    return collect(runners(endpoint, endpoint.account, password), endpoint, now, progress)


def hand(endpoint: Endpoint, password: str | None) -> Actuator:
    """The hand of the account that may delete. Nothing is sent yet."""
    from snapaudit.hypervisors.hyperv.act import HypervActuator

    account = endpoint.enforce_as or endpoint.account
    return HypervActuator(runners(endpoint, account, password), endpoint)


def runners(endpoint: Endpoint, account: Account, password: str | None) -> Runners:
    """Makes the runner of each host. Who may be asked at all is decided before, in `nodes`."""

    def of(host: str) -> Runner:
        return transport.runner(_aimed(endpoint, host), account, password)

    return of


def _aimed(endpoint: Endpoint, host: str) -> Endpoint:
    """The endpoint with its URL leading to that host: same scheme, port and path."""
    address = parse_address(endpoint.url)
    if host.lower() == address.host.lower():
        return endpoint
    url = replace(address, host=host).url
    if parse_address(url).host.lower() != host.lower():
        raise UsageError(f"endpoint {endpoint.name}: nodes: {host!r} is no name of a host")
    return replace(endpoint, url=url)
