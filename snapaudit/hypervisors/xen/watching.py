"""How far a call has come: by its task, then by the operations that its object shows."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from snapaudit.errors import Gone, HypervisorError
from snapaudit.hypervisors.xen import acting, calls, records
from snapaudit.hypervisors.xen.acting import ActingClient
from snapaudit.hypervisors.xen.calls import about
from snapaudit.hypervisors.xen.failures import explained
from snapaudit.model.acting import Call, Phase, Watched

OVER, RUNNING = Watched(phase=Phase.OVER), Watched(phase=Phase.RUNNING)
_SUCCESS = "success"
_ENDED = frozenset({_SUCCESS, "failure", "cancelled"})


def watched(call: Call, task_id: str | None, client: ActingClient) -> Watched:
    """One look. A task that ended is told and then destroyed, which no server does in time."""
    if task_id is None:
        return _by_operations(call, client)
    try:
        ref = str(client.ask("task.get_by_uuid", task_id))
        task: Mapping[str, Any] = client.ask("task.get_record", ref)
    except Gone:
        return _by_operations(call, client)
    if task.get("status") not in _ENDED:
        return RUNNING
    with suppress(HypervisorError):
        client.ask(acting.DESTROY_TASK, ref)
    return OVER if task["status"] == _SUCCESS else _failed(task)


def _failed(task: Mapping[str, Any]) -> Watched:
    """HANDLE_INVALID for an image says that somebody else was faster; what is so is read anyway."""
    code, *texts = [str(each) for each in task.get("error_info") or ()] or [str(task["status"])]
    return Watched(phase=Phase.FAILED, reason=explained(code, texts))


def _by_operations(call: Call, client: ActingClient) -> Watched:
    """A call whose task is not known any more."""
    try:
        if call.name == calls.DESTROY_IMAGE:
            ref = str(client.ask("VDI.get_by_uuid", about(call, "image")))
            busy = records.vdi(ref, client.ask("VDI.get_record", ref)).operations
        else:
            ref = str(client.ask("VM.get_by_uuid", about(call, "snapshot")))
            busy = records.vm(ref, client.ask("VM.get_record", ref)).operations
    except Gone:
        return OVER
    return RUNNING if busy else OVER
