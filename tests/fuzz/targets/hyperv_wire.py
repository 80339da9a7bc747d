"""WS-Man: the envelopes in which a host wraps all that, read by the client library and by us."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from winrm.exceptions import WinRMTransportError

from snapaudit.hypervisors.hyperv import parsing, transport
from snapaudit.hypervisors.hyperv.winrm import WinrmCall
from tests.beds.wsman.envelopes import Message, created, fault, output, started
from tests.beds.wsman.envelopes import answer as envelope
from tests.beds.wsman.recording import printed, rows
from tests.fuzz.target import Form, Target
from tests.hypervisors.hyperv.wires import PASSWORD, endpoint

# Made up by the bed at random; examples are the same each time.
_MESSAGE_ID = re.compile(rb"uuid:[0-9A-F-]{36}")
_BETWEEN = b"\n<!-- next -->\n"
_SHELL, _COMMAND = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"


class _Said:
    """In the place of HTTP: one answer after the other, and none any more after the last."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = iter(answers)
        self.read_timeout_sec: object = None

    def send_message(self, _message: object) -> bytes:
        found = next(self._answers, None)
        if found is None:
            raise ConnectionResetError
        if b"Fault>" in found[:2000]:
            raise WinRMTransportError("http", 500, found)
        return found

    def close_session(self) -> None:
        """Nothing is open."""


def _run(data: bytes) -> None:
    place = endpoint("https://hv1.example.org:5986/wsman")
    call = WinrmCall(transport.wire(place, place.account, PASSWORD))
    said: Any = _Said(data.split(_BETWEEN))
    call._protocol.transport = said
    parsing.answer(call.lines("collect", {"sizes": True}), "hv1")


def _conversations() -> Iterator[bytes]:
    ask = Message("Create", "", "uuid:1", 512_000, None, {}, ET.Element("Body"))
    told = "\n".join(printed(rows(machines=2))).encode()
    half = len(told) // 2
    received = (
        output(_COMMAND, {"stdout": told[:half], "stderr": b"#< CLIXML <Objs/>"}),
        output(_COMMAND, {"stdout": told[half:]}, is_done=True, code=0),
    )
    bodies = (created(_SHELL, "cmd"), started(_COMMAND), "<rsp:SendResponse/>", *received)
    opening = [envelope(ask, one) for one in bodies]
    gone, denied = fault(ask, 2150858843, "the shell is gone"), fault(ask, 5, "Access is denied.")
    for one in (opening, [*opening[:2], gone], [denied]):
        yield _MESSAGE_ID.sub(b"uuid:1", _BETWEEN.join(one))


TARGETS = (
    Target(
        name="hyperv-envelopes", group="hyperv", run=_run, examples=_conversations, form=Form.XML
    ),
)
