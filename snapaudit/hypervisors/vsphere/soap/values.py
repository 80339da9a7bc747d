"""Values by their ``xsi:type``: simple ones, arrays, and records (vSphere Web Services API)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element

from snapaudit.hypervisors.vsphere.raw import FoundFile, RawFault, RawFork, RawManagedBy
from snapaudit.hypervisors.vsphere.soap.devices import disks_of
from snapaudit.hypervisors.vsphere.soap.fault import localized, type_of
from snapaudit.hypervisors.vsphere.soap.layout import layout_of
from snapaudit.hypervisors.vsphere.soap.simple import SIMPLE, boolean, moment
from snapaudit.hypervisors.vsphere.soap.snapshots import tree_of

# `[datastore] folder`, whatever stands between the two.
_FOLDER = re.compile(r"^(\[[^]]*\])[ /]*")


def value_of(element: Element) -> object:
    """A value that was built as a tree. A record nobody here knows is the name of its type."""
    kind = type_of(element) or ""
    if kind in SIMPLE:
        return SIMPLE[kind](element.text or "")
    if kind in RECORDS:
        return RECORDS[kind](element)
    if kind.startswith("ArrayOf"):
        item = kind.removeprefix("ArrayOf")
        return tuple(_item(child, item) for child in element)
    return kind if len(element) else element.text or ""


def _item(element: Element, declared: str) -> object:
    if type_of(element) is None:
        element.set("xsi:type", declared)
    return value_of(element)


def fork_of(fields: Mapping[str, str]) -> RawFork:
    """From the texts of a vim.vm.ForkConfigInfo."""
    enabled = fields.get("parentEnabled")
    return RawFork(
        parent_enabled=None if enabled is None else boolean(enabled),
        parent_group=fields.get("parentForkGroupId"),
        child_group=fields.get("childForkGroupId"),
        child_type=fields.get("childType"),
    )


def _fork(element: Element) -> RawFork:
    return fork_of({child.tag: child.text or "" for child in element})


def _managed_by(element: Element) -> RawManagedBy:
    return RawManagedBy(element.findtext("extensionKey", ""), element.findtext("type", ""))


def _custom(element: Element) -> tuple[int, str]:
    return int(element.findtext("key", "")), element.findtext("value", "")


def _fault(element: Element) -> RawFault:
    found = localized(element)
    return RawFault(found.name, found.message)


def _definition(element: Element) -> tuple[int, str]:
    return int(element.findtext("key", "")), element.findtext("name", "")


def _storage(element: Element) -> tuple[str, int]:
    needed = int(element.findtext("freeSpaceRequiredInKb", ""))
    return element.findtext("datastore", ""), needed * 1024


def _found(element: Element) -> tuple[FoundFile, ...]:
    folder = _FOLDER.sub(r"\1 ", element.findtext("folderPath", ""))
    between = "" if folder.endswith(("/", " ")) else "/"
    return tuple(
        FoundFile(
            path=f"{folder}{between}{file.findtext('path', '')}",
            size=int(size) if (size := file.findtext("fileSize")) else None,
            changed_at=moment(file.findtext("modification")),
        )
        for file in element.iterfind("file")
    )


def _text(name: str) -> Callable[[Element], object]:
    return lambda element: element.findtext(name, "")


RECORDS: Mapping[str, Callable[[Element], object]] = {
    "VirtualMachineSnapshotInfo": tree_of,
    "VirtualMachineFileLayoutEx": layout_of,
    "ArrayOfVirtualDevice": disks_of,
    "ManagedByInfo": _managed_by,
    "VirtualMachineForkConfigInfo": _fork,
    "CustomFieldStringValue": _custom,
    "DatastoreHostMount": _text("key"),
    "CustomFieldDef": _definition,
    "LocalizedMethodFault": _fault,
    "StorageRequirement": _storage,
    "HostDatastoreBrowserSearchResults": _found,
    "TaskReasonUser": _text("userName"),
    "TaskReasonAlarm": lambda _: "",
    "TaskReasonSchedule": lambda _: "",
    "TaskReasonSystem": lambda _: "",
    "VirtualMachineQuestionInfo": _text("text"),
    "CryptoKeyId": _text("keyId"),
    "ReplicationConfigSpec": _text("vmReplicationId"),
}
"""Records by their type, with what becomes of them."""
