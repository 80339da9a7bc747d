"""How far a call is, also one that another process made: by its task, else by its machine."""

from __future__ import annotations

from snapaudit.hypervisors.vsphere import reading
from snapaudit.hypervisors.vsphere.calls import about
from snapaudit.hypervisors.vsphere.faults import explained
from snapaudit.hypervisors.vsphere.raw import RawTask
from snapaudit.hypervisors.vsphere.service import ActingService
from snapaudit.hypervisors.vsphere.soap.fault import SoapFault
from snapaudit.model.acting import Call, Phase, Watched

OVER = Watched(phase=Phase.OVER)


def watched(call: Call, task_id: str | None, service: ActingService, total: int | None) -> Watched:
    """How far it is; ``total``: the bytes to merge, where they are known. Raises HypervisorError.

    OVER and FAILED are what the server says. A task that it no longer knows, or whose id nobody
    kept, is judged by whether the machine still has one.
    """
    task = service.task(task_id) if task_id is not None else None
    return by_machine(call, service) if task is None else by_task(task, total)


def by_task(task: RawTask, total: int | None) -> Watched:
    """What the task says of itself (vim.TaskInfo); its progress is a percentage."""
    if reading.is_under_way(task):
        share = task.progress
        done = total * share // 100 if total is not None and share is not None else None
        return Watched(phase=Phase.RUNNING, done_bytes=done, total_bytes=total)
    if task.state == "error":
        return Watched(phase=Phase.FAILED, reason=_reason(task))
    return OVER


def by_machine(call: Call, service: ActingService) -> Watched:
    """Whether anything goes on with the machine, whoever asked for it."""
    seen = reading.machine(service, about(call, "vm_id"))
    if seen is None:
        return OVER
    if seen.in_background or any(True for _ in reading.under_way(service, seen)):
        return Watched(phase=Phase.RUNNING)
    return OVER


def _reason(task: RawTask) -> str:
    """The server's words about a task that failed, and what to do where that is known."""
    if task.error is None:
        return "the task failed, and the server gives no reason"
    return explained(SoapFault(task.error, task.message or "", None))
