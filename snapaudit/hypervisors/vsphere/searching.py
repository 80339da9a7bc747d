"""A datastore's virtual-disk files, found by its browser (vim.host.DatastoreBrowser)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from pyVmomi import vim

from snapaudit.errors import AccessDenied, Gone, HypervisorError, Unreachable
from snapaudit.hypervisors.vsphere.bulk import Bulk
from snapaudit.hypervisors.vsphere.paths import DATASTORE
from snapaudit.hypervisors.vsphere.raw import FoundFile, RawFault
from snapaudit.hypervisors.vsphere.session import Session
from snapaudit.hypervisors.vsphere.soap.page import PageReader
from snapaudit.hypervisors.vsphere.tasks import TASK

_FIRST_NAP, _LONGEST_NAP = 0.02, 2.0
# Bytes of what a search found: some hundred for each file.
_RESULT = 2**28


def search(session: Session, bulk: Bulk, datastore: str) -> Iterator[FoundFile]:
    """All of them. The search goes on in the server when no answer comes in time here."""
    found = bulk.one(DATASTORE, datastore, ["name", "browser"])
    if found is None:
        raise Gone(f"{session.where}: datastore {datastore} is no longer there")
    try:
        name, browser = found.values["name"], found.values["browser"]
    except KeyError as error:
        raise AccessDenied(
            f"{session.where}: datastore {datastore} may not be looked at"
        ) from error
    started: Any = session.reading(
        lambda: vim.host.DatastoreBrowser(browser, session.stub).SearchDatastoreSubFolders_Task(
            f"[{name}]", _wanted()
        )
    )
    result: Any = finished(session, bulk, str(started._moId))
    for files in result or ():
        yield from files


def _wanted() -> Any:
    browser = vim.host.DatastoreBrowser
    return browser.SearchSpec(
        query=[browser.VmDiskQuery()],
        details=browser.FileInfo.Details(
            fileType=False, fileSize=True, modification=True, fileOwner=False
        ),
        searchCaseInsensitive=True,
        matchPattern=["*.vmdk"],
    )


def finished(session: Session, bulk: Bulk, task: str) -> object:
    """What a task that changes nothing found, waited for within the endpoint's deadline."""
    until, nap = time.monotonic() + session.stub.seconds, _FIRST_NAP
    while time.monotonic() < until:
        state, error = _state(session, bulk, task)
        if state == "error":
            name, words = (error.name, error.message) if error else ("MethodFault", "")
            raise HypervisorError(f"{session.where}: {task} failed: {words or name}")
        if state == "success":
            done = Bulk(session, reader=_large).one(TASK, task, ["info.result"])
            return done.values.get("info.result") if done else None
        time.sleep(nap)
        nap = min(nap * 2, _LONGEST_NAP)
    raise Unreachable(f"{session.where}: {task} did not end in time")


def _large() -> PageReader:
    return PageReader(largest=_RESULT)


def _state(session: Session, bulk: Bulk, task: str) -> tuple[str, RawFault | None]:
    found = bulk.one(TASK, task, ["info.state", "info.error"])
    if found is None:
        raise Gone(f"{session.where}: {task} is no longer known there")
    error = found.values.get("info.error")
    return str(found.values.get("info.state")), error if isinstance(error, RawFault) else None
