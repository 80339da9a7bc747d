"""A session at the simulator by the official client, for the tests of the beds themselves."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.beds.processes import wait_until
from tests.beds.simulator import PASSWORD, USER, Simulator
from tests.beds.soapline import SoapLine

_WITHIN = 20.0


@contextmanager
def session(at: Simulator | SoapLine) -> Iterator[Any]:
    """The service's content, in a session that ends with the block."""
    from pyVmomi import SoapStubAdapter, vim

    stub = SoapStubAdapter(
        host="127.0.0.1",
        port=at.port,
        version="vim.version.version11",  # 6.5, which the simulator says it is
        sslContext=ssl.create_default_context(cafile=at.ca_file),
    )
    try:
        content: Any = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
        content.sessionManager.Login(USER, PASSWORD)
        yield content
        with suppress(vim.fault.NotAuthenticated):
            content.sessionManager.Logout()
    finally:
        stub.DropConnections()


def retrieve(content: Any, *paths: str, kind: str = "VirtualMachine", most: int = 0) -> Any:
    """The first page of these paths of every object of a kind, as the server sends it."""
    from pyVmomi import vim, vmodl

    wanted = getattr(vim, kind)
    view = content.viewManager.CreateContainerView(content.rootFolder, [wanted], True)
    query = vmodl.query.PropertyCollector
    walk = query.TraversalSpec(path="view", skip=False, type=vim.view.ContainerView)
    spec = query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=view, skip=True, selectSet=[walk])],
        propSet=[query.PropertySpec(type=wanted, pathSet=list(paths))],
    )
    options = query.RetrieveOptions(maxObjects=most or None)
    return content.propertyCollector.RetrievePropertiesEx([spec], options)


def values(content: Any, *paths: str, kind: str = "VirtualMachine") -> dict[str, dict[str, Any]]:
    """Values by path, by the managed object id."""
    page = retrieve(content, *paths, kind=kind)
    return {one.obj._moId: {p.name: p.val for p in one.propSet} for one in page.objects}


def leaf(content: Any, kind: str, moid: str, *paths: str) -> dict[str, Any]:
    """Values by path of one object."""
    from pyVmomi import vmodl

    query = vmodl.query.PropertyCollector
    thing = managed(content, kind, moid)
    spec = query.FilterSpec(
        objectSet=[query.ObjectSpec(obj=thing)],
        propSet=[query.PropertySpec(type=type(thing), pathSet=list(paths))],
    )
    found = content.propertyCollector.RetrievePropertiesEx([spec], query.RetrieveOptions())
    return {p.name: p.val for p in found.objects[0].propSet}


def managed(content: Any, kind: str, moid: str) -> Any:
    """A managed object by its id; kinds as `vim` names them, like ``vm.Snapshot``."""
    from pyVmomi import vim

    wanted: Any = vim
    for word in kind.split("."):
        wanted = getattr(wanted, word)
    return wanted(moid, content.rootFolder._stub)


def ended(content: Any, task: Any) -> dict[str, Any]:
    """How a task ended, by leaf paths."""
    paths = ("info.state", "info.progress", "info.error", "info.result")
    seen: dict[str, Any] = {}

    def over() -> bool:
        seen.update(leaf(content, "Task", task._moId, *paths))
        return seen["info.state"] in ("success", "error")

    wait_until(over, _WITHIN, f"{task._moId} ends")
    return seen
