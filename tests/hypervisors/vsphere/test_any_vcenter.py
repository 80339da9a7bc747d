"""Reading and deleting where nothing was added: a plain simulator, or any newer one."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from snapaudit.hypervisors.vsphere import paths, reference
from snapaudit.hypervisors.vsphere.acting import ActingClient
from snapaudit.hypervisors.vsphere.client import Client
from snapaudit.hypervisors.vsphere.hypervisor import VsphereHypervisor
from snapaudit.model.endpoint import Account, Endpoint, Tls
from snapaudit.model.inventory import CoverageState, Inventory, VirtualMachine
from tests.beds.anyvcenter import AnyVcenter, any_vcenter
from tests.beds.processes import wait_until

pytestmark = pytest.mark.bed

EVERYTHING = {paths.VIRTUAL_MACHINE: paths.LIGHT + paths.HEAVY, **paths.AROUND}


@pytest.fixture(scope="module")
def vcenter() -> Iterator[AnyVcenter]:
    with any_vcenter() as found:
        yield found


def endpoint(at: AnyVcenter) -> Endpoint:
    return Endpoint(
        name="vc1",
        kind="vsphere",
        url=at.url,
        account=Account(username=at.username),
        tls=Tls(fingerprint=at.fingerprint),
        options={"tags": False},
    )


def seen(at: AnyVcenter) -> Inventory:
    now = datetime.now(UTC)
    return VsphereHypervisor().collect(endpoint(at), at.password, now, lambda _: None)


def machine(at: AnyVcenter, moid: str) -> VirtualMachine:
    return next(vm for vm in seen(at).virtual_machines if vm.id == moid)


@contextmanager
def content(at: AnyVcenter) -> Iterator[Any]:
    from pyVmomi import SoapStubAdapter, vim

    parts, unchecked = urlsplit(at.url), ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    stub = SoapStubAdapter(
        host=parts.hostname,
        port=parts.port or 443,
        path=parts.path or "/sdk",
        version="vim.version.version11",
        sslContext=unchecked,
    )
    try:
        found: Any = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
        found.sessionManager.Login(at.username, at.password)
        yield found
    finally:
        stub.DropConnections()


def taken(at: AnyVcenter, moid: str, *names: str) -> None:
    """Take snapshots of a machine, one upon the other, as any client does."""
    from pyVmomi import vim

    with content(at) as found:
        vm: Any = vim.VirtualMachine(moid, found.rootFolder._stub)
        for name in names:
            task = vm.CreateSnapshot_Task(name, "", memory=False, quiesce=False)
            wait_until(partial(_is_done, task), 20, f"{name} is taken")


def _is_done(task: Any) -> bool:
    return bool(task.info.state == "success")


def test_records_equal_those_of_the_client_library(vcenter: AnyVcenter) -> None:
    at = endpoint(vcenter)
    with closing(Client(at, at.account, vcenter.password)) as client:
        ours = {one.moid: one for one in client.read(EVERYTHING)}
        theirs = {one.moid: one for one in reference.everything(client._session, EVERYTHING)}
    assert ours == theirs
    assert any(one.kind == paths.VIRTUAL_MACHINE for one in ours.values())


def test_every_machine_is_seen_with_its_state_and_no_size_is_guessed(vcenter: AnyVcenter) -> None:
    found = seen(vcenter)
    assert found.coverage.state in (CoverageState.COMPLETE, CoverageState.PARTIAL)
    assert found.virtual_machines
    assert all(gap.reason for gap in found.gaps)
    for vm in found.virtual_machines:
        for shot in vm.snapshots:
            assert shot.size_bytes is None or shot.size_bytes >= 0


def test_one_snapshot_is_removed_by_its_task_and_its_siblings_stay(vcenter: AnyVcenter) -> None:
    bare = next(vm for vm in seen(vcenter).virtual_machines if not vm.snapshots)
    taken(vcenter, bare.id, "first", "second", "third")
    first, second, third = machine(vcenter, bare.id).snapshots
    assert [one.parent_id for one in (first, second, third)] == [None, first.id, second.id]
    at = endpoint(vcenter)
    with closing(ActingClient(at, at.account, vcenter.password)) as client:
        task = client.remove_snapshot(second.id)
        wait_until(lambda: _state(client, task) == "success", 20, "the task has ended")
    left = machine(vcenter, bare.id).snapshots
    assert [(one.id, one.parent_id) for one in left] == [(first.id, None), (third.id, first.id)]


def _state(client: ActingClient, task: str) -> str | None:
    found = client.task(task)
    return found.state if found is not None else None
