"""Endpoints that lead to a bed, and what is read from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from snapaudit.hypervisors.xen import XEN
from snapaudit.hypervisors.xen.client import Client
from snapaudit.model.endpoint import Account, Endpoint, Tls
from snapaudit.model.inventory import Inventory, Snapshot, VirtualMachine
from tests import canaries
from tests.beds.xapi.server import XapiBed

PASSWORD = canaries.POOL


def endpoint(bed: XapiBed, *, user: str = "root", **more: Any) -> Endpoint:
    """The bed as a configured endpoint that trusts its authority."""
    plain = Endpoint(
        name="pool1",
        kind="xen",
        url=bed.url,
        account=Account(username=user),
        tls=Tls(ca_file=str(bed.ca_file)),
        deadline=timedelta(seconds=30),
    )
    return replace(plain, **more)


def collected(bed: XapiBed, **more: Any) -> Inventory:
    return XEN.collect(endpoint(bed, **more), PASSWORD, datetime.now(UTC), lambda _: None)


def client(bed: XapiBed, **more: Any) -> Client:
    """A session of a client that was logged in."""
    made = Client(endpoint(bed, **more), endpoint(bed, **more).account, PASSWORD)
    made.log_in()
    return made


def machine(inventory: Inventory, vm: str) -> VirtualMachine:
    return next(each for each in inventory.virtual_machines if each.id == vm)


def shot(inventory: Inventory, snapshot: str) -> Snapshot:
    return next(
        each for vm in inventory.virtual_machines for each in vm.snapshots if each.id == snapshot
    )


def words(protections: tuple[str, ...]) -> set[str]:
    """The words that reasons begin with."""
    return {each.partition(":")[0] for each in protections}
