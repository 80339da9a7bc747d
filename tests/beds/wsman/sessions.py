"""PowerShell sessions: a runspace pool, one pipeline in it, and what that hands down. MS-PSRP.

Each message goes in one fragment, which the protocol allows. A standard session takes the shipped
script as text; one of another name takes the functions of the JEA module alone.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import threading
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from pypsrp.messages import Destination, MessageType
from pypsrp.powershell import Fragment
from pypsrp.serializer import Serializer

from tests.beds.wsman import envelopes
from tests.beds.wsman.envelopes import Message
from tests.beds.wsman.powershell import Unexpected, shipped

RESOURCE = "http://schemas.microsoft.com/powershell/"
STANDARD = f"{RESOURCE}Microsoft.PowerShell"
FUNCTIONS = {
    f"Invoke-Snapaudit{name.capitalize()}": name for name in ("collect", "remove", "watch")
}
_HEAD = 40  # bytes of a message before its XML


class Gone(Exception):
    """There is no such session or pipeline."""


@dataclass(slots=True)
class Session:
    """A runspace pool with at most one pipeline. ``waiting`` are fragments for the client."""

    id: str
    resource: str
    given: bytes = b""
    waiting: list[bytes] = field(default_factory=list)
    pipeline: str | None = None
    output: list[bytes] = field(default_factory=list)
    _sent: int = 0

    def fragment(self, kind: int, xml: str) -> bytes:
        """A message to the client, whole in one fragment."""
        self._sent += 1
        head = struct.pack("<II", Destination.CLIENT, kind) + uuid.UUID(self.id).bytes_le
        pipeline = uuid.UUID(self.pipeline).bytes_le if self.pipeline else bytes(16)
        return bytes(Fragment(self._sent, 0, head + pipeline + xml.encode(), True, True).pack())


_CAPABILITY = (
    '<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0'
    '</Version><Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
)
_OPENED, _COMPLETED, _FAILED = 2, 4, 5


def _state(name: str, number: int) -> str:
    return f'<Obj RefId="0"><MS><I32 N="{name}">{number}</I32></MS></Obj>'


def _text(line: str) -> str:
    element: Any = Serializer().serialize(line)
    return str(ET.tostring(element, encoding="unicode"))


def _error(words: str) -> str:
    return (
        f'<Obj RefId="0"><ToString>{escape(words)}</ToString><MS>'
        '<B N="SerializeExtendedInfo">false</B><S N="FullyQualifiedErrorId">Unexpected</S>'
        '<I32 N="ErrorCategory_Category">0</I32></MS></Obj>'
    )


Run = Callable[[str, dict[str, Any]], list[str]]
"""Runs a script of that name with that argument; its lines."""


class Sessions:
    """All sessions of a host."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.open: dict[str, Session] = {}
        self._lock = threading.Lock()

    def take(self, message: Message) -> str:
        """The body of the answer. Raises Gone, Unexpected, TimeoutError where nothing is there."""
        actions = {
            "Create": self._create,
            "Command": self._command,
            "Send": self._send,
            "Receive": self._receive,
            "Signal": lambda _: "<rsp:SignalResponse/>",
            "Delete": self._delete,
        }
        return actions[message.action](message)

    def _create(self, message: Message) -> str:
        identity = message.attribute("rsp:Shell", "ShellId") or ""
        session = Session(identity, message.resource)
        session.waiting = [
            session.fragment(MessageType.SESSION_CAPABILITY, _CAPABILITY),
            session.fragment(MessageType.RUNSPACEPOOL_STATE, _state("RunspaceState", _OPENED)),
        ]
        with self._lock:
            self.open[identity] = session
        return envelopes.created(identity, message.resource)

    def _of(self, message: Message) -> Session:
        session = self.open.get(message.shell or "")
        if session is None:
            raise Gone
        return session

    def _command(self, message: Message) -> str:
        session = self._of(message)
        session.pipeline = message.attribute("rsp:CommandLine", "CommandId") or ""
        self._feed(session, message.text("rsp:CommandLine/rsp:Arguments"))
        return envelopes.started(session.pipeline)

    def _send(self, message: Message) -> str:
        self._feed(self._of(message), message.text("rsp:Send/rsp:Stream"))
        return "<rsp:SendResponse/>"

    def _feed(self, session: Session, text: str | None) -> None:
        """Fragments that came; with the last of them the pipeline runs."""
        rest = base64.b64decode(text or "")
        while rest:
            fragment, rest = Fragment.unpack(rest)
            session.given += fragment.data
            if fragment.end:
                self._begin(session, _Pipeline(session.given[_HEAD:]))
                session.given = b""

    def _begin(self, session: Session, pipeline: _Pipeline) -> None:
        try:
            lines = self._run(*_wanted(session.resource, pipeline))
            said = [session.fragment(MessageType.PIPELINE_OUTPUT, _text(line)) for line in lines]
            state = _state("PipelineState", _COMPLETED)
        except Unexpected as error:
            said = [session.fragment(MessageType.ERROR_RECORD, _error(str(error)))]
            state = _state("PipelineState", _FAILED)
        session.output = [*said, session.fragment(MessageType.PIPELINE_STATE, state)]

    def _receive(self, message: Message) -> str:
        session = self._of(message)
        command = message.attribute("rsp:Receive/rsp:DesiredStream", "CommandId")
        source = session.output if command else session.waiting
        piece = b""
        while source and len(piece) + len(source[0]) <= message.most_output:
            piece += source.pop(0)
        if not piece:
            raise TimeoutError
        is_done = bool(command) and not source
        return envelopes.output(command or "", {"stdout": piece}, is_done=is_done, code=0)

    def _delete(self, message: Message) -> str:
        session = self._of(message)
        with self._lock:
            del self.open[session.id]
        return ""


class _Pipeline:
    """The one command of a CREATE_PIPELINE message, and what it is given by name."""

    def __init__(self, data: bytes) -> None:
        root = ET.fromstring(data)
        self.text = _plain(root.findtext(".//S[@N='Cmd']"))
        self.is_script = root.findtext(".//B[@N='IsScript']") == "true"
        self.given = {
            _plain(one.findtext("MS/S[@N='N']")).lstrip("-"): one.find("MS/*[@N='V']")
            for one in root.iterfind(".//Obj[@N='Args']/LST/Obj")
        }

    @property
    def argument(self) -> dict[str, Any]:
        """The argument that every script takes."""
        value = self.given["Argument"]
        found = json.loads(base64.b64decode(value.text or "" if value is not None else ""))
        return dict(found)

    @property
    def is_piped(self) -> bool:
        """Whether rows are asked for on the pipeline."""
        value = self.given.get("Pipeline")
        return value is not None and value.tag == "B" and value.text == "true"


def _plain(text: str | None) -> str:
    """Text without the escapes of CLIXML."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text or "")


def _wanted(resource: str, pipeline: _Pipeline) -> tuple[str, dict[str, Any]]:
    """Which script is meant, and with what argument."""
    if resource == STANDARD:
        name = shipped().get(pipeline.text.encode())
        is_ours = pipeline.is_script and pipeline.is_piped
    else:
        name = FUNCTIONS.get(pipeline.text)
        is_ours = not pipeline.is_script and set(pipeline.given) == {"Argument"}
    if name is None or not is_ours:
        raise Unexpected(f"{pipeline.text[:40]!r} is not what is taken here")
    return name, pipeline.argument
