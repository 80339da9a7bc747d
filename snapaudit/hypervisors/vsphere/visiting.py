"""One visit to an endpoint: log in, read all that its options ask for, log out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from functools import partial

from snapaudit.hypervisors.vsphere.address import parse_address
from snapaudit.hypervisors.vsphere.collect import collect, collect_one
from snapaudit.hypervisors.vsphere.connecting import acting_service, reading_service
from snapaudit.hypervisors.vsphere.creators import read_creators
from snapaudit.hypervisors.vsphere.extras import Extras, ReadTags
from snapaudit.hypervisors.vsphere.orphans import search_orphans
from snapaudit.hypervisors.vsphere.service import Service
from snapaudit.hypervisors.vsphere.tags import Tags, read_tags
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.ports import Actuator, Progress, Step
from snapaudit.trust import trust

# Of the endpoint's deadline; the tags are one of the smaller parts of a reading.
_SHARE_FOR_TAGS = 0.25


def visit(endpoint: Endpoint, password: str | None, now: datetime, progress: Progress) -> Inventory:
    """Everything the endpoint shows. See `ports.Hypervisor.collect`."""
    progress(Step(endpoint=endpoint.name, phase="connecting"))
    with closing(reading_service(endpoint, endpoint.account, password)) as service:
        extras = _extras(endpoint, service, password, progress)
        return collect(service, endpoint, now, progress, extras)


def hand(endpoint: Endpoint, password: str | None) -> Actuator:
    """A session of the account that may delete, and the hand that uses it."""
    from snapaudit.hypervisors.vsphere.act import VsphereActuator

    account = endpoint.enforce_as or endpoint.account
    service = acting_service(endpoint, account, password)
    extras = Extras(tags=tags_of(endpoint, service, account, password))
    return VsphereActuator(service, endpoint, look=partial(collect_one, extras=extras))


UNASKED = "tags of machines: not asked for (`tags: false`)"
"""Without asking, no machine is known to have no tag."""


def _extras(
    endpoint: Endpoint, service: Service, password: str | None, progress: Progress
) -> Extras:
    def searched(done: int, total: int) -> None:
        progress(Step(endpoint=endpoint.name, phase="searching", seen=done, total=total))

    searches = bool(endpoint.options.get("search_orphans", False))
    return Extras(
        tags=tags_of(endpoint, service, endpoint.account, password),
        creators=partial(read_creators, service)
        if endpoint.options.get("creators", True)
        else None,
        orphans=partial(search_orphans, service, seen=searched) if searches else None,
    )


def tags_of(
    endpoint: Endpoint, service: Service, account: Account, password: str | None
) -> ReadTags | None:
    """A single host has none."""
    if not service.about.is_vcenter:
        return None
    if not endpoint.options.get("tags", True):
        return lambda _: Tags(blind_spot=UNASKED)
    seconds = endpoint.deadline.total_seconds() * _SHARE_FOR_TAGS

    def ask(machines: Sequence[str]) -> Tags:
        line = parse_address(endpoint.url).connection(trust(endpoint.tls), seconds)
        return read_tags(line, account.username or "", password or "", machines, seconds)

    return ask
