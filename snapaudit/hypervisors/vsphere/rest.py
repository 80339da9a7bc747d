"""Asks a vCenter over HTTP and JSON, where SOAP has no answer: one session, read-only calls.

It is older under ``/rest`` and newer under ``/api``; a release offers one of them, or both.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote

from snapaudit.errors import AccessDenied, Gone, HypervisorError, Unreachable

ONE_ANSWER = 30.0
"""The most seconds that a single answer may take."""

_SESSION_HEADER = "vmware-api-session-id"
_LARGEST = 64 * 2**20
_PIECE = 2**16
_NONE_SUCH = frozenset((404, 405, 501))
_REFUSED = frozenset((401, 403))


class NotOffered(HypervisorError):
    """The server answers, and has no such interface."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One form of the interface. ``wraps``: an answer stands under ``value``."""

    session: str
    tagging: str
    action: str
    id_prefix: str
    wraps: bool


REST = Dialect(
    "/rest/com/vmware/cis/session", "/rest/com/vmware/cis/tagging", "~action", "id:", wraps=True
)
API = Dialect("/api/session", "/api/cis/tagging", "action", "", wraps=False)


class Session:
    """A session over one connection, which the caller made and has not opened.

    Everything raises HypervisorError: AccessDenied, Gone (404), NotOffered, or Unreachable, also
    when ``seconds`` for the whole of it are over.
    """

    def __init__(self, line: HTTPConnection, seconds: float) -> None:
        self._line, self._until = line, time.monotonic() + seconds
        self._dialect, self._id = REST, ""

    def log_in(self, username: str, password: str) -> None:
        """Begin the session, in whichever form the server has."""
        basic = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
        for dialect in (REST, API):
            self._dialect = dialect
            with suppress(Gone):
                headers = {"Authorization": f"Basic {basic}"}
                self._id = _text(self._call("POST", dialect.session, headers=headers), "session")
                return
        raise NotOffered("the server offers neither /rest nor /api (both answer 404)")

    def one(self, kind: str, identity: str) -> Mapping[str, Any]:
        """The record of a tag or category; Gone when there is none of that id any more."""
        place = f"{self._dialect.tagging}/{kind}/{quote(self._dialect.id_prefix + identity)}"
        answer = self._call("GET", place, headers=self._known())
        if not isinstance(answer, dict):
            raise Unreachable(f"the record of a {kind} is no object")
        return answer

    def act(self, kind: str, action: str, question: Mapping[str, Any]) -> Any:
        """The answer to an action that asks about many objects at once."""
        place = f"{self._dialect.tagging}/{kind}?{self._dialect.action}={action}"
        return self._call("POST", place, headers=self._known(), question=question)

    def close(self) -> None:
        """End the session and the connection. What fails at that is no loss: sessions expire."""
        with suppress(HypervisorError):
            if self._id:
                self._call("DELETE", self._dialect.session, headers=self._known())
        self._id = ""
        self._line.close()

    def _known(self) -> dict[str, str]:
        return {_SESSION_HEADER: self._id}

    def _call(
        self,
        method: str,
        place: str,
        *,
        headers: Mapping[str, str],
        question: Mapping[str, Any] | None = None,
    ) -> Any:
        body = None if question is None else json.dumps(question).encode()
        kind = {"Content-Type": "application/json"} if body is not None else {}
        try:
            self._wait_no_longer()
            self._line.request(method, place, body, {**headers, **kind})
            self._wait_no_longer()
            response = self._line.getresponse()
            raw = self._read(response)
        except (OSError, HTTPException) as error:
            self._line.close()
            raise Unreachable(f"{method} {_bare(place)}: {_words(error)}") from error
        _refuse(response.status, f"{method} {_bare(place)} answers {response.status}")
        return self._meant(raw, place)

    def _wait_no_longer(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("no time is left")
        seconds = min(left, ONE_ANSWER)
        if self._line.sock is None:
            self._line.timeout = min(seconds, self._line.timeout or seconds)
        else:
            self._line.sock.settimeout(seconds)

    def _read(self, response: HTTPResponse) -> bytes:
        """The body, whole: a server that sends a byte now and then runs out of time too."""
        pieces, size = list[bytes](), 0
        while piece := response.read1(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > _LARGEST:
                raise HTTPException("the answer is larger than 64 MiB")
            self._wait_no_longer()
        if response.length:
            raise HTTPException("the answer ends half way")
        response.close()  # read1 leaves it open, and no other request may follow an open one
        return b"".join(pieces)

    def _meant(self, raw: bytes, place: str) -> Any:
        try:
            answer = json.loads(raw) if raw else None
        except (ValueError, RecursionError) as error:
            raise Unreachable(f"{_bare(place)}: the answer is no JSON") from error
        if not self._dialect.wraps or answer is None:
            return answer
        if not isinstance(answer, dict):
            raise Unreachable(f"{_bare(place)}: the answer has no value")
        return answer.get("value")


def _refuse(status: int, said: str) -> None:
    if status in _REFUSED:
        raise AccessDenied(f"{said}: the account is refused")
    if status in _NONE_SUCH:
        raise Gone(said)
    if status == 503:
        raise Unreachable(f"{said}: its service for this interface does not run")
    if not 200 <= status < 300:
        raise Unreachable(said)


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise Unreachable(f"the answer names no {what}")
    return value


def _bare(place: str) -> str:
    return place.partition("?")[0]


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return " ".join(str(error).split()) or type(error).__name__
