"""What a Xen pool answers: records as XML-RPC and as JSON-RPC, and failures in both."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache
from http.client import HTTPResponse
from typing import Any

from snapaudit.hypervisors.xen.client import Client
from snapaudit.hypervisors.xen.jsonrpc import JsonLine, result
from snapaudit.hypervisors.xen.reading import read_pool
from snapaudit.hypervisors.xen.translate import inventory
from snapaudit.hypervisors.xen.transport import Transport
from snapaudit.model.endpoint import Endpoint, Tls
from tests.beds.xapi import wire
from tests.beds.xapi.world import World
from tests.builders import NOW
from tests.canaries import POOL
from tests.fuzz.target import Form, Target
from tests.fuzz.targets.outcome import goes_through

_BETWEEN = b"\n<!-- next -->\n"
_CLASSES = ("pool", "host", "SR", "PBD", "VM", "VBD", "VDI")
_PIECE = 700
_ENDPOINT = Endpoint(
    name="pool1",
    kind="xen",
    url="https://pool1.example.org",
    tls=Tls(fingerprint="sha256:" + "0" * 64),
)


class _Still(World):
    def now(self) -> datetime:
        """Examples are the same each time."""
        return NOW


@cache
def _world() -> World:
    made = _Still()
    web = made.vm("web", disks=2, tags=["prod"], name_description="notes")
    made.snapshot(web, "first", name_description="why")
    made.checkpoint(web, "second")
    made.clone(made.snapshot(web, "third"), "clone")
    made.vm("template", running=False, is_a_template=True)
    made.disk("unused")
    return made


# XML-RPC ----------------------------------------------------------------------------------------


class _Connection:
    """Answers one call after the other with a document each, and then breaks."""

    def __init__(self, answers: Iterable[bytes]) -> None:
        self._answers = iter(answers)

    def answer(self) -> HTTPResponse:
        body = next(self._answers, None)
        if body is None:
            raise ConnectionResetError
        raw = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%b"
        return _response(raw % (len(body), body))


class _Socket(io.BytesIO):
    def makefile(self, *_: object) -> io.BytesIO:
        return self


def _response(raw: bytes) -> HTTPResponse:
    socket: Any = _Socket(raw)
    made = HTTPResponse(socket)
    made.begin()
    return made


class _Unconnected(Client):
    """A client whose answers come from a list; everything above the connection is its own."""

    def __init__(self, answers: Iterable[bytes], *, json: bool) -> None:
        super().__init__(_ENDPOINT, _ENDPOINT.account, POOL)
        self._canned, self._speaks_json = _Connection(answers), json
        transport: Any = _transport(self)
        self._session = self._sdk.Session(str(self._address), transport=transport)
        self._session.handle = "OpaqueRef:session"
        self._json = _Json(self._canned)

    def canned(self) -> HTTPResponse:
        return self._canned.answer()


def _transport(client: _Unconnected) -> Any:
    class Canned(Transport):
        def single_request(self, *_: Any, **__: Any) -> Any:
            return self.parse_response(client.canned())

    return Canned(client._address, client._trust, 5.0)


class _Json(JsonLine):
    def __init__(self, canned: _Connection) -> None:
        self._canned = canned

    def rows(self, method: str, params: Any) -> Iterator[tuple[str, Any]]:
        answer = self._canned.answer()
        yield from result(lambda: answer.read(_PIECE))

    def close(self) -> None:
        """Nothing is open."""


def _pool(*, json: bool) -> Callable[[bytes], None]:
    """A whole reading: the seven classes, and the clock. What is read twice is answered twice."""

    def run(data: bytes) -> None:
        parts = data.split(_BETWEEN)
        client = _Unconnected([*parts, *parts[4:7]], json=json)
        pool = read_pool(client, lambda _name, _count: None)
        goes_through(inventory(pool, endpoint=_ENDPOINT, collected_at=NOW, is_verified=True))

    return run


def _xml_pools() -> Iterator[bytes]:
    db = _world().db.classes
    answers = [wire.xml(db[name]) for name in _CLASSES[:4]]
    answers += [wire.xml(_world().now()), *(wire.xml(db[name]) for name in _CLASSES[4:])]
    yield _BETWEEN.join(answers)
    yield wire.xml_fault(["HOST_IS_SLAVE", "10.0.0.2"])


def _json_pools() -> Iterator[bytes]:
    db, question = _world().db.classes, {"jsonrpc": "2.0", "id": 1}
    answers = [wire.as_json(db[name], question) for name in _CLASSES[:4]]
    answers += [wire.xml(_world().now())]
    answers += [wire.as_json(db[name], question) for name in _CLASSES[4:]]
    yield _BETWEEN.join(answers)
    yield wire.json_fault(["SESSION_INVALID", "OpaqueRef:1"], question)
    yield wire.json_fault(["SESSION_INVALID", "OpaqueRef:1"], {})


def _call(data: bytes) -> None:
    """One call that asks for a single record, as before and after each deletion."""
    _Unconnected([data], json=False).ask("VM.get_record", "OpaqueRef:1")


def _calls() -> Iterator[bytes]:
    yield wire.xml(next(iter(_world().db.classes["VM"].values())))
    yield wire.xml_fault(["HANDLE_INVALID", "VM", "OpaqueRef:1"])
    yield (
        b"<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>faultCode"
        b"</name><value><int>1</int></value></member><member><name>faultString</name><value>"
        b"<string>no</string></value></member></struct></value></fault></methodResponse>"
    )


def _rows(data: bytes) -> None:
    """A large answer by itself, which is where the reader of JSON has the most to do."""
    client = _Unconnected([data], json=True)
    for _ref, _record in client.rows("VM"):
        pass


def _records() -> Iterator[bytes]:
    yield wire.as_json(_world().db.classes["VM"], {"jsonrpc": "2.0", "id": 1})
    yield json.dumps({"result": {}, "error": None, "id": 1}).encode()


_WORDS = (
    *(b"i4", b"i8", b"int", b"double", b"bigdecimal", b"base64", b"dateTime.iso8601", b"nil"),
    *(b"struct", b"member", b"name", b"value", b"array", b"data", b"fault", b"params", b"boolean"),
    *(b"Status", b"Value", b"ErrorDescription", b"Success", b"Failure", b"methodName", b"string"),
)
TARGETS = (
    Target(
        name="xen-pool-xml",
        group="xen",
        run=_pool(json=False),
        examples=_xml_pools,
        form=Form.XML,
        words=_WORDS,
        largest=256 * 1024,
    ),
    Target(
        name="xen-pool-json",
        group="xen",
        run=_pool(json=True),
        examples=_json_pools,
        form=Form.LINES,
        largest=256 * 1024,
    ),
    Target(name="xen-call", group="xen", run=_call, examples=_calls, form=Form.XML, words=_WORDS),
    Target(name="xen-rows", group="xen", run=_rows, examples=_records, form=Form.JSON),
)
