"""What a vCenter answers: pages and faults in SOAP, read both ways, and tags in JSON."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from http.client import HTTPResponse
from typing import Any

from snapaudit.hypervisors.vsphere.raw import RawLayout, RawObject, RawTree
from snapaudit.hypervisors.vsphere.soap.fault import Malformed, SoapFault
from snapaudit.hypervisors.vsphere.soap.flat import FlatReader
from snapaudit.hypervisors.vsphere.soap.page import PageReader
from snapaudit.hypervisors.vsphere.tags import read_tags
from snapaudit.hypervisors.vsphere.tasks import _TaskReader
from tests.canaries import VCENTER_TAGS
from tests.fuzz.target import Form, Target
from tests.fuzz.targets.outcome import goes_through
from tests.hypervisors.vsphere.looks import seen
from tests.hypervisors.vsphere.raws import MemoryService, raw_vm, service, worked
from tests.hypervisors.vsphere.soap.machines import devices, layout, tree
from tests.hypervisors.vsphere.soapwords import fault, missing, objects, page, prop, response, text

_PIECE = 1000
_BETWEEN = b"\n----\n"


def _objects(reader: PageReader | FlatReader, data: bytes) -> list[RawObject]:
    found: list[RawObject] = []
    for at in range(0, len(data), _PIECE):
        reader.feed(data[at : at + _PIECE])
        found += reader.take()
    reader.close()
    return found + reader.take()


def _pages(kind: Callable[[], PageReader | FlatReader]) -> Callable[[bytes], None]:
    """Pages as a sweep reads them; what it makes of Malformed and faults is told elsewhere."""

    def run(data: bytes) -> None:
        goes_through(seen(MemoryService(_objects(kind(), data))))

    return run


def _answers() -> Iterator[bytes]:
    for style in ("vcenter", "simulator"):
        found = service(worked(), raw_vm("db01")).objects
        yield page("".join(_written(one, style) for one in found), "token-1")
    yield fault("InvalidProperty", "no such property", "<name>config.novel</name>")
    held = "<privilegeId>System.Read</privilegeId>"
    yield page(objects({"vm-1": text("name", "a") + missing("layoutEx", "NoPermission", held)}))


def _written(one: RawObject, style: str) -> str:
    inside = "".join(_property(path, value, style) for path, value in one.values.items())
    return objects({one.moid: inside}, one.kind)


def _property(path: str, value: Any, style: str) -> str:
    match value:
        case RawTree():
            return tree(value, style)
        case RawLayout():
            return layout(value, style)
        case bool():
            return prop(path, "xsd:boolean", str(value).lower(), style)
        case int():
            return prop(path, "xsd:long", str(value), style)
        case tuple() if path.endswith("device"):
            return devices(value, style)
        case tuple():
            items = "".join(f'<a type="ManagedObject">{item}</a>' for item in value)
            return prop(path, "ArrayOfManagedObjectReference", items, style)
        case _:
            return text(path, str(value), style)


def _tasks(data: bytes) -> None:
    stream = _TaskReader([]).stream
    for at in range(0, len(data), _PIECE):
        stream.feed(data[at : at + _PIECE])
    stream.close()


def _histories() -> Iterator[bytes]:
    task = (
        '<returnval><key>task-1</key><task type="Task">task-1</task><descriptionId>'
        "VirtualMachine.createSnapshot</descriptionId><entity>vm-1</entity><state>success</state>"
        '<result xsi:type="ManagedObjectReference">snapshot-1</result><progress>42</progress>'
        '<reason xsi:type="TaskReasonUser"><userName>LAB\\ann</userName></reason>'
        "<queueTime>2026-01-02T03:04:05.678Z</queueTime></returnval>"
    )
    failed = (
        '<returnval><key>task-2</key><state>error</state><error><fault xsi:type="TaskInProgress"/>'
        "<localizedMessage>busy</localizedMessage></error></returnval>"
    )
    yield response("ReadNextTasks", task + failed)


# Tags -------------------------------------------------------------------------------------------


class _Canned(io.BytesIO):
    """A socket as far as an HTTP answer looks at it."""

    def makefile(self, *_: object) -> io.BytesIO:
        return self


class _Line:
    """A connection on which one answer after the other is said, and then none any more."""

    sock, timeout = None, 5.0

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = iter(answers)

    def request(self, *_: object) -> None:
        """Whatever is asked, the answer stands."""

    def getresponse(self) -> HTTPResponse:
        body = next(self._answers, None)
        if body is None:
            raise ConnectionResetError
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        enough_of_a_socket: Any = _Canned(raw)
        answer = HTTPResponse(enough_of_a_socket)
        answer.begin()
        return answer

    def close(self) -> None:
        """Nothing is open."""


def _tags(data: bytes) -> None:
    """Never raises for what the server does, so nothing of ours is expected either."""
    line: Any = _Line(data.split(_BETWEEN))
    read_tags(line, "auditor", VCENTER_TAGS, ["vm-1", "vm-2"], 60.0)


def _tag_answers() -> Iterator[bytes]:
    attached = (
        b'[{"object_id": {"type": "VirtualMachine", "id": "vm-1"}, "tag_ids": ["t-1", "t-2"]}]'
    )
    tag = b'{"id": "t-1", "name": "prod", "category_id": "c-1"}'
    category = b'{"id": "c-1", "name": "stage"}'
    parts = [b'"session-1"', attached, tag, tag.replace(b"t-1", b"t-2"), category, b"null"]
    yield _BETWEEN.join(b'{"value": ' + one + b"}" for one in parts)


def _target(name: str, run: Callable[[bytes], object], examples: Any, **more: Any) -> Target:
    return Target(
        name=name, group="vsphere", run=run, examples=examples, **{"form": Form.XML, **more}
    )


_SOAP: dict[str, Any] = {"expected": (Malformed, SoapFault)}
TARGETS = (
    _target("vsphere-page", _pages(PageReader), _answers, **_SOAP),
    _target("vsphere-page-flat", _pages(FlatReader), _answers, **_SOAP),
    _target("vsphere-tasks", _tasks, _histories, **_SOAP),
    _target("vsphere-tags", _tags, _tag_answers, form=Form.LINES, expected=()),
)
