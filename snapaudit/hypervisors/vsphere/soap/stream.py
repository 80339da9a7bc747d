"""An answer as a stream: checked by expat while it arrives, handed to whoever reads its elements.

Handlers are switched while parsing, so that each part is read by code that knows only that part.
What is not needed is skipped with handlers off; expat still checks every byte of it.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ExpatError, ParserCreate

from snapaudit.hypervisors.vsphere.soap.fault import Malformed, SoapFault, fault_of, local

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]

_TEXT = 2**16
_DEPTH = 200
# Bytes between the ends of two values. No machine's layout or device list comes near it.
_LARGEST = 2**22
_NOT_XML = (
    "what answers there speaks no SOAP: it is no vCenter or ESXi host, or a proxy stands before it"
)


class Stream:
    """One answer. ``start`` and ``end`` get what is inside its response element.

    ``texts`` holds the text since the last start of an element, in pieces.
    """

    def __init__(self, start: Start, end: End, *, largest: int = _LARGEST) -> None:
        self.texts: list[str] = []
        self.fault: SoapFault | None = None
        self.is_answered = False
        self.has_moved = False
        self._inside = (start, end)
        self._outer: list[tuple[Start, End]] = []
        self._depth, self._still, self._largest = 0, 0, largest
        self._parser = ParserCreate()
        self._parser.buffer_text = True
        self._parser.buffer_size = _TEXT
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.CharacterDataHandler = self.texts.append
        self._now(self._start, self._end)

    # Bytes --------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """The next piece. Raises Malformed."""
        self._parse(data, is_last=False)
        self._still = 0 if self.has_moved else self._still + len(data)
        self.has_moved = False
        if self._still > self._largest:
            raise Malformed("one value in the answer is larger than anything a server can mean")

    def close(self) -> None:
        """The answer ended. Raises Malformed if it was cut, SoapFault if it was one."""
        self._parse(b"", is_last=True)
        if self.fault is not None:
            raise self.fault
        if not self.is_answered:
            raise Malformed("the answer holds no response")

    def _parse(self, data: bytes, *, is_last: bool) -> None:
        try:
            self._parser.Parse(data, is_last)
        except ExpatError as error:
            raise Malformed(self._reason(error, is_last=is_last)) from error
        except (KeyError, ValueError, IndexError) as error:
            raise Malformed(f"the answer does not hold what it has to: {error!r}") from error

    def _reason(self, error: ExpatError, *, is_last: bool) -> str:
        if not self._outer and not self.is_answered and self._depth == 0:
            return _NOT_XML
        if is_last:
            return "the answer was cut off before its end"
        return f"the answer is damaged: {error}"

    # Handlers -----------------------------------------------------------------------------------

    def enter(self, start: Start, end: End) -> None:
        """Let these handlers read until they call `leave`."""
        self._outer.append(self._current)
        self._now(start, end)

    def leave(self) -> None:
        """Back to the handlers before."""
        self._now(*self._outer.pop())

    def _now(self, start: Start, end: End) -> None:
        self._current = (start, end)
        self._parser.StartElementHandler = start
        self._parser.EndElementHandler = end

    def skip(self, name: str) -> None:
        """Pass over the element that has just started and has none of its own name inside."""

        def end(ended: str) -> None:
            if ended == name:
                self._parser.CharacterDataHandler = self.texts.append
                self.leave()

        self.enter(_nothing, end)
        self._parser.CharacterDataHandler = None
        self._parser.StartElementHandler = None

    def tree(self, name: str, attributes: dict[str, str], done: Callable[[Element], None]) -> None:
        """Build the element that has just started as a tree, and hand it over when it ends."""
        builder = TreeBuilder()  # fed by expat, which has refused document types
        depth = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth
            depth += 1
            if depth > _DEPTH:
                raise Malformed("the answer is nested deeper than anything a server can mean")
            builder.start(name, attributes)

        def end(name: str) -> None:
            nonlocal depth
            depth -= 1
            builder.end(name)
            if not depth:
                self._parser.CharacterDataHandler = self.texts.append
                self.leave()
                self.has_moved = True
                done(builder.close())

        self.enter(start, end)
        self._parser.CharacterDataHandler = builder.data
        start(name, attributes)

    # The envelope -------------------------------------------------------------------------------

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.texts.clear()
        match self._depth, local(name):
            case 0, "Envelope":
                self._depth = 1
            case 0, _:
                raise Malformed(_NOT_XML)
            case 1, "Body":
                self._depth = 2
            case 2, "Fault":
                self.tree(name, attributes, self._failed)
            case 2, response if response.endswith("Response"):
                self._respond(name)
            case _:
                self.tree(name, attributes, _ignore)

    def _end(self, _name: str) -> None:
        self.texts.clear()

    def _respond(self, name: str) -> None:
        start, end = self._inside

        def end_or_leave(ended: str) -> None:
            if ended == name:
                self.is_answered = True
                self.leave()
            else:
                end(ended)

        self.enter(start, end_or_leave)

    def _failed(self, element: Element) -> None:
        self.fault = fault_of(element)


def _refuse_doctype(*_: object) -> None:
    raise Malformed("the answer declares a document type, which no server of this kind does")


def _nothing(_name: str, _attributes: dict[str, str]) -> None:
    pass


def _ignore(_element: Element) -> None:
    pass
