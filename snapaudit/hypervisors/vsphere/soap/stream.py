"""An answer as a stream: checked by expat while it arrives, its parts handed over as trees.

This is the careful way, for any answer. What is large and always of one form is read by `flat`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, Protocol
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ExpatError, ParserCreate

from snapaudit.hypervisors.vsphere.soap.fault import (
    NOT_SOAP,
    Cut,
    Malformed,
    SoapFault,
    fault_of,
    local,
    unparsed,
)

LARGEST = 2**22
"""Bytes of one part of an answer. No machine's layout or list of devices comes near it."""

_TEXT = 2**16


class Content(Protocol):
    """What is made of a response."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins inside the response, in none that was taken as a tree."""
        ...


class Stream:
    """One answer. ``texts`` holds the text since the last start, in pieces."""

    def __init__(self, content: Content, *, largest: int = LARGEST) -> None:
        self.fault: SoapFault | None = None
        self.is_answered = self.is_inside = False
        self._content, self._largest = content, largest
        self._depth = self._still = 0
        self.names: dict[str, str] = {}
        self.parser: Any = ParserCreate("UTF-8", intern=self.names)
        self.parser.buffer_text = True
        self.parser.buffer_size = _TEXT
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self.listen()

    def feed(self, data: bytes) -> None:
        """The next piece. Raises Malformed."""
        self.parse(data)
        self._still += len(data)
        if self._still > self._largest:
            raise Malformed("one value in the answer is larger than anything a server can mean")

    def close(self) -> None:
        """The answer ended. Raises Malformed if it was cut, SoapFault if it was one."""
        self.parse(b"", is_last=True)
        if self.fault is not None:
            raise self.fault
        if not self.is_answered:
            raise Malformed("the answer holds no response")

    def parse(self, data: bytes, *, is_last: bool = False) -> None:
        """Let expat go on, whoever listens. Raises Malformed."""
        try:
            self.parser.Parse(data, is_last)
        except ExpatError as error:
            raise self._reason(error, is_last=is_last) from error

    def _reason(self, error: ExpatError, *, is_last: bool) -> Malformed:
        if self._depth == 0:
            return unparsed(error)
        return Cut() if is_last else Malformed(f"the answer is damaged: {error}")

    # Elements -----------------------------------------------------------------------------------

    def listen(self) -> None:
        """Take the elements of the envelope, and of the response those that its content wants."""
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = None

    def tree(self, name: str, attributes: dict[str, str], done: Callable[[Element], None]) -> None:
        """Build the element that has just started as a tree, and hand it over when it ends."""
        builder = TreeBuilder()
        root, close = builder.start(name, attributes), builder.end

        def end(name: str) -> None:
            if close(name) is root:
                self._still = 0
                self.listen()
                done(builder.close())

        self.parser.StartElementHandler = builder.start
        self.parser.EndElementHandler = end
        self.parser.CharacterDataHandler = builder.data

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match self._depth, local(name):
            case 0, "Envelope":
                self._depth = 1
            case 0, _:
                raise Malformed(NOT_SOAP)
            case 1, "Body":
                self._depth = 2
            case 2, "Fault":
                self.tree(name, attributes, self._failed)
            case 2, response if response.endswith("Response"):
                self._depth, self._response, self.is_inside = 3, name, True
            case 3, _:
                self._content.start(name, attributes)
            case _:
                self.tree(name, attributes, ignore)

    def _end(self, name: str) -> None:
        if self.is_inside and name == self._response:
            self._depth, self.is_inside, self.is_answered = 2, False, True

    def _failed(self, element: Element) -> None:
        self.fault = fault_of(element)


def ignore(_element: Element) -> None:
    """Let a tree fall."""


def _refuse_doctype(*_: object) -> NoReturn:
    raise Malformed("the answer declares a document type, which no server of this kind does")
