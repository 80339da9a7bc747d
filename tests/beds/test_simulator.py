from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.beds.simulator import Simulator

pytestmark = pytest.mark.bed


@contextmanager
def session(simulator: Simulator) -> Iterator[Any]:
    """A session by the official client."""
    from pyVim import connect

    untyped: Any = connect
    context = ssl.create_default_context(cafile=simulator.ca_file)
    si = untyped.SmartConnect(
        host="127.0.0.1",
        port=simulator.port,
        user=simulator.username,
        pwd=simulator.password,
        sslContext=context,
    )
    try:
        yield si.RetrieveContent()
    finally:
        untyped.Disconnect(si)


def retrieve(content: Any, *paths: str, kind: str = "VirtualMachine") -> Any:
    from pyVmomi import vim, vmodl

    wanted = getattr(vim, kind)
    view = content.viewManager.CreateContainerView(content.rootFolder, [wanted], True)
    query = vmodl.query.PropertyCollector
    walk = query.TraversalSpec(path="view", skip=False, type=vim.view.ContainerView)
    spec = query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=view, skip=True, selectSet=[walk])],
        propSet=[query.PropertySpec(type=wanted, pathSet=list(paths))],
    )
    options = query.RetrieveOptions()
    return content.propertyCollector.RetrievePropertiesEx([spec], options)


def test_official_client_logs_in_over_tls_and_reads_machines() -> None:
    with Simulator(vms=3, snapshots=2) as simulator, session(simulator) as content:
        assert simulator.url.startswith("https://127.0.0.1:")
        objects = retrieve(content, "name", "snapshot", "layoutEx").objects
    assert sorted(one.propSet[0].val for one in objects) == ["vm-0", "vm-1", "vm-2"]
