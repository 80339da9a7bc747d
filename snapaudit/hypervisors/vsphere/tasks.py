"""Tasks: the list of those that made snapshots, and one of them by leaf paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

from pyVmomi import vim

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.vsphere.exchange import Exchange, Request
from snapaudit.hypervisors.vsphere.faults import NETWORK
from snapaudit.hypervisors.vsphere.raw import RawFault, RawObject, RawTask
from snapaudit.hypervisors.vsphere.session import Session
from snapaudit.hypervisors.vsphere.soap.fault import Malformed, SoapFault, localized
from snapaudit.hypervisors.vsphere.soap.request import request
from snapaudit.hypervisors.vsphere.soap.simple import moment
from snapaudit.hypervisors.vsphere.soap.stream import Stream

TASK = "Task"
CREATED = "VirtualMachine.createSnapshot"
"""What the description of every task that makes a snapshot begins with."""

LEAVES = (
    "info.descriptionId",
    "info.entity",
    "info.state",
    "info.progress",
    "info.queueTime",
    "info.reason",
    "info.result",
    "info.error",
)
"""Never the whole of `info`: of a removal it names a snapshot where a machine has to stand."""

_AT_ONCE = 500


def creations(session: Session, since: datetime) -> Iterator[RawTask]:
    """Tasks since then that made snapshots, oldest first, as far back as the server keeps them."""
    chosen = vim.TaskFilterSpec(
        time=vim.TaskFilterSpec.ByTime(timeType="queuedTime", beginTime=since)
    )
    manager = session.content.taskManager
    collector: Any = session.reading(lambda: manager.CreateCollectorForTasks(chosen))
    try:
        while page := _next(session, str(collector._moId)):
            yield from (task for task in page if task.description_id.startswith(CREATED))
    finally:
        with suppress(HypervisorError):
            session.asked(collector.DestroyCollector)


def _next(session: Session, collector: str) -> list[RawTask]:
    found: list[RawTask] = []
    method = "ReadNextTasks"

    stream = _TaskReader(found).stream
    inside = f"<maxCount>{_AT_ONCE}</maxCount>"
    body = request(method, ("TaskHistoryCollector", collector), inside)
    try:
        for _ in Exchange(session.stub).ask(Request(method, body), stream):
            pass
    except (SoapFault, Malformed, *NETWORK) as error:
        raise session.ours(error) from error
    return found


class _TaskReader:
    """Tasks out of an answer, each as a tree."""

    def __init__(self, found: list[RawTask]) -> None:
        self._found = found
        self.stream = Stream(self)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A task begins."""
        self.stream.tree(name, attributes, lambda element: self._found.append(task_of(element)))


def task_of(element: Element) -> RawTask:
    """From a vim.TaskInfo. Raises Malformed."""
    progress, error = _percent(element), element.find("error")
    fault = None if error is None else localized(error)
    return RawTask(
        moid=element.findtext("task") or element.findtext("key") or "",
        description_id=element.findtext("descriptionId", ""),
        entity=element.findtext("entity"),
        state=element.findtext("state", ""),
        progress=progress,
        queued_at=moment(element.findtext("queueTime")),
        user=element.findtext("reason/userName"),
        result=element.findtext("result"),
        error=fault.name if fault else None,
        message=fault.message if fault else None,
    )


def _percent(element: Element) -> int | None:
    told = element.findtext("progress")
    try:
        return int(told) if told else None
    except ValueError as error:
        raise Malformed("a task is not told as it has to be: its progress is no number") from error


def task_from(found: RawObject) -> RawTask:
    """From the leaves of a task. Raises HypervisorError when its state could not be read."""
    values: Mapping[str, Any] = found.values
    if "info.state" not in values:
        reason = found.missing.get("info.state", "it is unset")
        raise HypervisorError(f"{found.moid}: the task's state could not be read: {reason}")
    error = values.get("info.error")
    fault = error if isinstance(error, RawFault) else None
    return RawTask(
        moid=found.moid,
        description_id=values.get("info.descriptionId", ""),
        entity=values.get("info.entity"),
        state=values["info.state"],
        progress=values.get("info.progress"),
        queued_at=values.get("info.queueTime"),
        user=values.get("info.reason") or None,
        result=values["info.result"] if isinstance(values.get("info.result"), str) else None,
        error=fault.name if fault else None,
        message=fault.message if fault else None,
    )
