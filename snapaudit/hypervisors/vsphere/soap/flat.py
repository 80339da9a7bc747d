"""The fast way through a page, for the paths that every machine is asked for.

No tree is built and no start of an element is told. An object that does not have the usual form is
read once more from its bytes, carefully (see `page`). What is taken for granted is that an element
the API knows holds what the API says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from sys import intern
from typing import Any

from snapaudit.hypervisors.vsphere.raw import RawFork, RawManagedBy, RawObject
from snapaudit.hypervisors.vsphere.soap import row, row_disks, row_layout, row_snapshots
from snapaudit.hypervisors.vsphere.soap.fault import Malformed
from snapaudit.hypervisors.vsphere.soap.page import PageReader
from snapaudit.hypervisors.vsphere.soap.parts import parts
from snapaudit.hypervisors.vsphere.soap.plain import Properties
from snapaudit.hypervisors.vsphere.soap.row import VAL, Known, Next, Unusual
from snapaudit.hypervisors.vsphere.soap.simple import Convert, boolean
from snapaudit.hypervisors.vsphere.soap.stream import LARGEST
from snapaudit.hypervisors.vsphere.soap.values import fork_of

_OPEN, _CLOSE = b"<objects>", b"</objects>"
_HEAD = re.compile(rb'<objects><obj type="(\w+)">[^<]+</obj>(?=<propSet><name>|</objects>)')
# White space where an element may begin: it would be taken for the beginning of a text.
_SPACED = re.compile(rb">[ \t\r\n]")
_ENVELOPE = (
    b"<Envelope><Body><RetrievePropertiesExResponse><returnval>",
    b"</returnval></RetrievePropertiesExResponse></Body></Envelope>",
)
_OBJ, _NAME, _SET, _OBJECTS = map(intern, ("obj", "name", "propSet", "objects"))
_NAMES = (
    *(_OBJ, _NAME, _SET, _OBJECTS),
    *row.NAMES,
    *row_snapshots.NAMES,
    *row_layout.NAMES,
    *row_disks.NAMES,
)
_TEXTS = frozenset(
    {"name", "config.instanceUuid", "config.uuid", "config.annotation"}
    | {"config.files.vmPathName", "summary.url"}
)
_WORDS = frozenset(
    {"parent", "parentVApp", "parentFolder", "runtime.host", "runtime.powerState"}
    | {"runtime.connectionState", "runtime.faultToleranceState", "summary.type"}
    | {"summary.maintenanceMode", "summary.config.product.fullName"}
)
_FLAGS = frozenset(
    {"config.template", "config.changeTrackingEnabled", "runtime.consolidationNeeded"}
    | {"runtime.snapshotInBackground", "runtime.instantCloneFrozen", "summary.accessible"}
    | {"runtime.quiescedForkParent", "runtime.inMaintenanceMode"}
)
_ARRAYS = ("datastore", "recentTask", "disabledMethod")
_EMPTY = (*_ARRAYS, "customValue")
_NUMBERS = frozenset({"summary.capacity", "summary.freeSpace", "summary.uncommitted"})


class FlatReader:
    """Reads one answer, as `PageReader` does."""

    def __init__(self) -> None:
        self._page = PageReader()
        self._names = self._page.stream.names
        self._names.update((name, name) for name in _NAMES)
        parser = self._page.stream.parser
        parser.CommentHandler = parser.StartCdataSectionHandler = self._disguise
        parser.ProcessingInstructionHandler = self._disguise
        self._known, self._disguised, self._is_spaced = 0, False, False
        self._events: list[Any] = []
        self._held = b""
        self._ready: list[RawObject] = []
        self._words: dict[str, str] = {}
        self._simple = self._conversions()
        conversions = dict(self._simple.values())
        self._plain = Properties({**conversions, **dict.fromkeys(_EMPTY, _nothing)})
        self._records = _records()

    def _conversions(self) -> dict[str, tuple[str, Convert]]:
        """By path: the path itself, so that it is kept once, and what its text becomes."""
        kinds: tuple[tuple[Iterable[str], Convert], ...] = (
            (_TEXTS, str),
            (_WORDS, self._word),
            (_FLAGS, boolean),
            (_NUMBERS, int),
        )
        return {path: (path, convert) for paths, convert in kinds for path in paths}

    def _word(self, text: str) -> str:
        return self._words.setdefault(text, text)

    @property
    def token(self) -> str | None:
        """What the next page is asked for with; None after the last."""
        return self._page.token

    def take(self) -> list[RawObject]:
        """The objects that were read since the last call."""
        taken, self._ready = self._ready, []
        return taken

    # Bytes --------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """The next piece of the answer. Raises Malformed."""
        held, at = self._held + data, 0
        while (begin := held.find(_OPEN, at)) >= 0:
            self._between(held[at:begin])
            at = begin
            end = held.find(_CLOSE, begin)
            if end < 0:
                break
            at = end + len(_CLOSE)
            self._object(held[begin:at])
        else:
            begin = max(at, len(held) - len(_OPEN))
            self._between(held[at:begin])
            at = begin
        self._held = held[at:]
        if len(self._held) > LARGEST:
            raise Malformed("one object in the answer is larger than anything a server can mean")

    def close(self) -> None:
        """The answer ended. Raises Malformed if it was cut, SoapFault if it was one."""
        self._between(self._held)
        self._page.close()

    def _between(self, data: bytes) -> None:
        if data:
            self._page.feed(data)
            self._ready += self._page.take()

    def _object(self, piece: bytes) -> None:
        head = _HEAD.match(piece)
        if not self._page.stream.is_inside or head is None:
            self._between(piece)
            return
        try:
            values: dict[str, object] = {}
            self._gather(head[0] + b"".join(self._plain.read(piece, head.end(), values)))
            kind = self._word(head[1].decode())
            self._ready.append(self._read(kind, values, iter(self._events).__next__))
        except (Unusual, StopIteration, KeyError, ValueError, IndexError, TypeError):
            self._carefully(piece)

    def _carefully(self, piece: bytes) -> None:
        page = PageReader()
        page.feed(piece.join(_ENVELOPE))
        page.close()
        self._ready += page.take()

    # Events -------------------------------------------------------------------------------------

    def _gather(self, piece: bytes) -> None:
        """Fill the row of events from an object's bytes."""
        self._events.clear()
        self._is_spaced = False
        parser = self._page.stream.parser
        parser.StartElementHandler = None
        parser.EndElementHandler = parser.CharacterDataHandler = self._events.append
        try:
            for part in parts(piece):
                if type(part) is bytes:
                    self._is_spaced |= _SPACED.search(part) is not None
                    self._page.stream.parse(part)
                else:
                    self._events.append(part)
        finally:
            self._page.stream.listen()

    def _is_odd(self) -> bool:
        """Whether texts cannot be told from names, or comments and such were among them.

        Texts of one letter are one object wherever they come from.
        """
        if len(self._names) > self._known:
            self._known = len(self._names)
            self._disguised |= any(len(name) < 2 for name in self._names)
        return self._disguised

    def _disguise(self, *_: object) -> None:
        self._disguised = True

    def _read(self, kind: str, values: dict[str, object], take: Next) -> RawObject:
        moid, known = take(), self._names.get
        if take() is not _OBJ or self._is_spaced or self._is_odd():
            raise Unusual
        while (path := take()) is not _OBJECTS:
            if take() is not _NAME:
                raise Unusual
            if path in self._simple:
                path, convert = self._simple[path]
                text = take()
                if text is VAL:
                    text = ""
                elif take() is not VAL or known(text) is text:
                    raise Unusual
                values[path] = convert(text)
            else:
                path, read = self._records[path]
                values[path] = read(take, known)
            if take() is not _SET:
                raise Unusual
        return RawObject(kind, moid, values)


def _records() -> dict[str, tuple[str, Any]]:
    found = {
        "snapshot": row_snapshots.tree,
        "layoutEx": row_layout.Layouts().read,
        "config.hardware.device": row_disks.disks,
        "customValue": row.custom_values,
        "config.managedBy": _managed_by,
        "config.forkConfigInfo": _fork,
        **dict.fromkeys(_ARRAYS, row.texts),
    }
    return {path: (path, read) for path, read in found.items()}


def _nothing(text: str) -> tuple[()]:
    if text:
        raise Unusual
    return ()


def _managed_by(take: Next, known: Known) -> RawManagedBy:
    fields = row.leaves(take, known)
    return RawManagedBy(fields["extensionKey"], fields["type"])


def _fork(take: Next, known: Known) -> RawFork:
    return fork_of(row.leaves(take, known))
