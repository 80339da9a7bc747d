"""Shells and their commands: what a host keeps between messages."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.beds.wsman import envelopes, powershell
from tests.beds.wsman.envelopes import Message
from tests.beds.wsman.faults import QUOTA, SCHEMA, SHELL_GONE, TIMED_OUT, Faults
from tests.beds.wsman.powershell import Respond, Unexpected

CMD = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"
STREAM = "rsp:Send/rsp:Stream"


class Refused(Exception):
    """A message that is answered with a fault of that number."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Run:
    """A script that ran, with the argument it was given."""

    script: str
    argument: dict[str, Any]


@dataclass(slots=True)
class Command:
    """A process. ``given`` is its input so far; once that has ended, ``output`` is what it says."""

    id: str
    given: bytes = b""
    output: bytes = b""
    errors: bytes = b""
    code: int | None = 0
    has_run: bool = False
    waits: int = 0


@dataclass(slots=True)
class Shells:
    """All shells of a host; ``most`` is how many there were at once.

    ``complaints`` are about what was sent and is not ours, or could not run.
    """

    respond: Respond
    faults: Faults
    open: dict[str, dict[str, Command]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, message: Message) -> str:
        """The body of the answer. Raises Refused."""
        actions = {
            "Create": self._create,
            "Command": self._command,
            "Send": self._send,
            "Receive": self._receive,
            "Signal": self._signal,
            "Delete": self._delete,
        }
        if message.resource != CMD or message.action not in actions:
            raise Refused(SCHEMA, f"the resource {message.resource} does not do {message.action}")
        return actions[message.action](message)

    def _create(self, message: Message) -> str:
        idle = message.text("rsp:Shell/rsp:IdleTimeOut") or "PT1S"
        if not idle.startswith("PT"):
            raise Refused(SCHEMA, "the idle timeout is not a duration")
        shell = str(uuid4()).upper()
        with self._lock:
            if self.faults.quota is not None and len(self.open) >= self.faults.quota:
                raise Refused(QUOTA, "the maximum number of concurrent shells is exceeded")
            self.open[shell] = {}
            self.most = max(self.most, len(self.open))
        return envelopes.created(shell, message.resource)

    def _commands(self, message: Message) -> dict[str, Command]:
        found = self.open.get(message.shell or "")
        if found is None:
            raise Refused(SHELL_GONE, "the shell was not found on the server")
        return found

    def _of(self, message: Message, identity: str | None) -> Command:
        found = self._commands(message).get(identity or "")
        if found is None:
            raise Refused(SHELL_GONE, "the command was not found in the shell")
        return found

    def _command(self, message: Message) -> str:
        commands = self._commands(message)
        words = [message.text("rsp:CommandLine/rsp:Command") or ""]
        line = " ".join([*words, *message.texts("rsp:CommandLine/rsp:Arguments")])
        command = Command(str(uuid4()).upper(), waits=self.faults.timeouts)
        commands[command.id] = command
        is_direct = message.options.get("WINRS_SKIP_CMD_SHELL") == "TRUE"
        try:
            powershell.check_command(line, is_direct=is_direct)
        except Unexpected as error:
            self._fail(command, str(error))
        if self.faults.dies is not None:
            self._end(command, code=1, errors=self.faults.dies)
        return envelopes.started(command.id)

    def _send(self, message: Message) -> str:
        command = self._of(message, message.attribute(STREAM, "CommandId"))
        if command.has_run:
            raise Refused(SHELL_GONE, "the pipe has been ended")
        command.given += _decoded(message.text(STREAM))
        if (message.attribute(STREAM, "End") or "").lower() == "true":
            self._run(command)
        return "<rsp:SendResponse/>"

    def _run(self, command: Command) -> None:
        if self.faults.language != "FullLanguage":
            line = f'{{"k":"host","v":1,"lang":"{self.faults.language}"}}\r\n'
            self._end(command, code=3, output=line.encode())
            return
        try:
            name, argument = powershell.unpack(command.given)
        except Unexpected as error:
            self._fail(command, str(error))
            return
        said = "".join(f"{line}\n" for line in self.said(name, argument))
        code, errors = self.faults.ending
        self._end(command, code=code, output=said.encode("ascii"), errors=errors)

    def said(self, name: str, argument: dict[str, Any]) -> list[str]:
        """The lines of a script that runs now."""
        self.runs.append(Run(name, argument))
        return list(self.respond(name, argument))[: self.faults.cut]

    def _fail(self, command: Command, why: str) -> None:
        self.complaints.append(why)
        self._end(command, code=1, errors=why)

    @staticmethod
    def _end(command: Command, code: int | None, output: bytes = b"", errors: str = "") -> None:
        command.code, command.output, command.errors = code, output, errors.encode()
        command.has_run = True

    def _receive(self, message: Message) -> str:
        identity = message.attribute("rsp:Receive/rsp:DesiredStream", "CommandId")
        command = self._of(message, identity)
        if command.waits or not command.has_run:
            command.waits = max(0, command.waits - 1)
            raise Refused(TIMED_OUT, "the operation did not complete in time")
        most = min(message.most_output, self.faults.chunk or message.most_output)
        piece, command.output = command.output[:most], command.output[most:]
        if command.output:
            return envelopes.output(command.id, {"stdout": piece})
        streams = {"stdout": piece, "stderr": command.errors}
        return envelopes.output(command.id, streams, is_done=True, code=command.code)

    def _signal(self, message: Message) -> str:
        self._commands(message).pop(message.attribute("rsp:Signal", "CommandId") or "", None)
        return "<rsp:SignalResponse/>"

    def _delete(self, message: Message) -> str:
        self._commands(message)
        with self._lock:
            del self.open[message.shell or ""]
        return ""


def _decoded(text: str | None) -> bytes:
    return base64.b64decode(text or "")
