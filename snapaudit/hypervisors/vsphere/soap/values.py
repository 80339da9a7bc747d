"""Values by their ``xsi:type``: simple ones, and small records (vSphere Web Services API)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from snapaudit.hypervisors.vsphere.raw import FoundFile, RawFault, RawFork, RawManagedBy
from snapaudit.hypervisors.vsphere.soap.fault import localized, type_of

Convert = Callable[[str], object]

_TRUE = ("true", "1")
# `[datastore] folder`, whatever stands between the two.
_FOLDER = re.compile(r"^(\[[^]]*\])[ /]*")


def moment(text: str | None) -> datetime | None:
    """An ``xsd:dateTime`` in UTC; None for what is no moment, or one without a zone."""
    try:
        found = datetime.fromisoformat(text or "")
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def boolean(text: str) -> bool:
    """An ``xsd:boolean``."""
    return text.strip() in _TRUE


def flag(element: Element, name: str) -> bool | None:
    """A boolean inside a record; None where it is unset."""
    text = element.findtext(name)
    return None if text is None else boolean(text)


SIMPLE: Mapping[str, Convert] = {
    "string": str,
    "boolean": boolean,
    **dict.fromkeys(("byte", "short", "int", "long"), int),
    **dict.fromkeys(("float", "double"), float),
    "dateTime": moment,
    "anyURI": str,
}
"""What the text of a simple value becomes, by its type's name."""

WORDS = frozenset(
    {"ManagedObjectReference", "VirtualMachinePowerState", "VirtualMachineConnectionState"}
    | {"VirtualMachineFaultToleranceState", "HostSystemConnectionState", "TaskInfoState"}
    | {"MethodName", "TypeName", "PropertyPath"}
)
"""Types whose text is the value, and is the same for many objects."""

ARRAYS = frozenset({"ArrayOfManagedObjectReference", "ArrayOfString", "ArrayOfMethodName"})
"""Arrays of texts."""


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


def _fork(element: Element) -> RawFork:
    return RawFork(
        parent_enabled=flag(element, "parentEnabled"),
        parent_group=element.findtext("parentForkGroupId"),
        child_group=element.findtext("childForkGroupId"),
        child_type=element.findtext("childType"),
    )


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
