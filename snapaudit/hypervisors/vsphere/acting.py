"""The session that may change something, loaded by enforcement alone.

It knows two calls more than the reading one, each sent once over a connection that was opened for
it. Nothing here sends again, logs in again, or repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyVmomi import vim

from snapaudit.errors import CallRefused, HypervisorError, UsageError
from snapaudit.hypervisors.vsphere.client import Client
from snapaudit.hypervisors.vsphere.faults import NETWORK, UNSUPPORTED, lost, refused
from snapaudit.hypervisors.vsphere.raw import RawTask
from snapaudit.hypervisors.vsphere.searching import finished
from snapaudit.hypervisors.vsphere.soap.fault import Malformed, SoapFault
from snapaudit.hypervisors.vsphere.stub import READING, NotAllowed, Stub
from snapaudit.hypervisors.vsphere.tasks import LEAVES, TASK, task_from
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.trust import trust

_REMOVE = "RemoveSnapshot_Task"
ACTING = READING | {
    _REMOVE,
    "ConsolidateVMDisks_Task",
    "EstimateStorageForConsolidateSnapshots_Task",
}


class ActingStub(Stub):
    """The plain stub with a longer list, on which a removal is that of one snapshot."""

    def permit(self, method: str, arguments: Sequence[object] = ()) -> None:
        """Raises NotAllowed also for a removal that would take children along."""
        if method == _REMOVE and (not arguments or arguments[0] is not False):
            raise NotAllowed(f"{_REMOVE} is sent for one snapshot alone")
        super().permit(method, arguments)


class ActingClient(Client):
    """See `ActingService`. Never built where the certificate is not verified."""

    stub_class = ActingStub
    methods = ACTING

    def __init__(self, endpoint: Endpoint, account: Account, password: str | None) -> None:
        if not trust(endpoint.tls).is_verified:
            raise UsageError(
                f"endpoint {endpoint.name}: tls: verify: false may audit and never change "
                "anything; give it tls: ca_file or tls: fingerprint"
            )
        super().__init__(endpoint, account, password)

    def remove_snapshot(self, snapshot: str) -> str:
        """RemoveSnapshot_Task of this snapshot alone, disks consolidated; the task's moid."""
        target: Any = vim.vm.Snapshot(snapshot, self._session.stub)
        return self._changed(
            lambda: target.RemoveSnapshot_Task(removeChildren=False, consolidate=True)
        )

    def consolidate(self, machine: str) -> str:
        """ConsolidateVMDisks_Task; the task's moid."""
        target: Any = vim.VirtualMachine(machine, self._session.stub)
        return self._changed(target.ConsolidateVMDisks_Task)

    def _changed(self, call: Callable[[], Any]) -> str:
        self._open_anew()
        session = self._session
        try:
            return str(call()._moId)
        except SoapFault as error:
            raise refused(error, session.where) from error
        except NotAllowed as error:
            raise CallRefused(str(error)) from error
        except (Malformed, *NETWORK) as error:
            raise session.ours(error) from error

    def _open_anew(self) -> None:
        """A connection kept from before may be dead, and then nobody knows what has arrived."""
        stub, where = self._session.stub, self._session.where
        stub.DropConnections()
        try:
            stub.ReturnConnection(stub.GetConnection())
        except NETWORK as error:
            raise CallRefused(f"{lost(error, where)}; nothing was sent") from error
        except HypervisorError as error:
            raise CallRefused(f"{error}; nothing was sent") from error

    def estimate(self, machine: str) -> Mapping[str, int] | None:
        """Bytes that consolidating needs by datastore; None where the server offers no answer."""
        target: Any = vim.VirtualMachine(machine, self._session.stub)
        try:
            task = target.EstimateStorageForConsolidateSnapshots_Task()
        except SoapFault as error:
            if error.name in UNSUPPORTED:
                return None
            raise self._session.ours(error) from error
        except (Malformed, *NETWORK) as error:
            raise self._session.ours(error) from error
        found: Any = finished(self._session, self._bulk, str(task._moId))
        return dict(found) if isinstance(found, tuple) else None

    def task(self, moid: str) -> RawTask | None:
        """How a task is, by leaf paths; None when the server no longer knows it."""
        found = self._bulk.one(TASK, moid, LEAVES)
        return None if found is None else task_from(found)
