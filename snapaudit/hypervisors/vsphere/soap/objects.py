"""A page of the property collector (vmodl.query.PropertyCollector.RetrieveResult) as records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from xml.etree.ElementTree import Element

from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.hypervisors.vsphere.soap.devices import DeviceReader
from snapaudit.hypervisors.vsphere.soap.fault import SoapFault, local, localized
from snapaudit.hypervisors.vsphere.soap.layout import LayoutReader
from snapaudit.hypervisors.vsphere.soap.snapshots import SnapshotReader
from snapaudit.hypervisors.vsphere.soap.stream import End, Start, Stream
from snapaudit.hypervisors.vsphere.soap.values import (
    ARRAYS,
    SIMPLE,
    WORDS,
    Convert,
    value_of,
)

_PLAIN = frozenset({"propSet", "name", "returnval", "token"})
_EXPIRED = "NotAuthenticated"


class Shape(Protocol):
    """What reads the inside of values of one type."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        ...

    def end(self, name: str) -> None:
        """An element ends."""
        ...


class PageReader:
    """Reads one answer. ``ready`` fills with objects; ``token`` is set if there are more pages."""

    def __init__(self) -> None:
        self.stream = Stream(self._start, self._end)
        self.ready: list[RawObject] = []
        self.token: str | None = None
        self._texts = self.stream.texts
        self._kind = self._moid = self._path = ""
        self._values: dict[str, object] = {}
        self._missing: dict[str, str] = {}
        self._words: dict[str, str] = {}
        self._type_key = "xsi:type"
        self._convert: Convert = str
        self._converters: dict[str, Convert] = dict.fromkeys(WORDS, self._word)
        self._special = self._special_readers()

    def _special_readers(self) -> dict[str, tuple[Start, End]]:
        array = _ArrayReader(self.stream, self._keep)
        readers: dict[str, Shape] = {
            "VirtualMachineSnapshotInfo": SnapshotReader(self.stream, self._keep),
            "VirtualMachineFileLayoutEx": LayoutReader(self.stream, self._keep),
            "ArrayOfVirtualDevice": DeviceReader(self.stream, self._keep),
            **dict.fromkeys(ARRAYS, array),
        }
        return {kind: (reader.start, reader.end) for kind, reader in readers.items()}

    def take(self) -> list[RawObject]:
        """The objects that were read since the last call."""
        taken, self.ready = self.ready, []
        return taken

    # Elements -----------------------------------------------------------------------------------

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._texts.clear()
        if name == "val":
            self._open(name, attributes)
        elif name in _PLAIN:
            pass
        elif name == "objects":
            self._values, self._missing = {}, {}
        elif name == "obj":
            kind = attributes["type"]
            self._kind = self._words.setdefault(kind, kind)
        elif name == "missingSet":
            self.stream.tree(name, attributes, self._miss)
        else:
            self.stream.tree(name, attributes, _ignore)

    def _end(self, name: str) -> None:
        texts = self._texts
        text = texts[0] if len(texts) == 1 else "".join(texts)
        texts.clear()
        if name == "name":
            self._path = self._words.setdefault(text, text)
        elif name == "val":
            self._values[self._path] = self._convert(text)
        elif name == "obj":
            self._moid = text
        elif name == "objects":
            self._emit()
        elif name == "token":
            self.token = text

    def _emit(self) -> None:
        self.stream.has_moved = True
        self.ready.append(RawObject(self._kind, self._moid, self._values, self._missing))

    # Values -------------------------------------------------------------------------------------

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        kind = attributes.get(self._type_key) or self._named(attributes)
        convert = self._converters.get(kind)
        if convert is not None:
            self._convert = convert
        elif kind in self._special:
            self.stream.enter(*self._special[kind])
        elif local(kind) in SIMPLE:
            self._convert = self._converters[kind] = SIMPLE[local(kind)]
        else:
            self.stream.tree(name, attributes, self._keep_tree)

    def _named(self, attributes: dict[str, str]) -> str:
        """Find out which prefix this answer gives to ``xsi:type``."""
        for key in attributes:
            if key.endswith(":type") and not key.startswith("xmlns:"):
                self._type_key = key
                return attributes[key]
        return ""

    def _word(self, text: str) -> str:
        return self._words.setdefault(text, text)

    def _keep(self, value: object) -> None:
        self._values[self._path] = value

    def _keep_tree(self, element: Element) -> None:
        self._values[self._path] = value_of(element)

    def _miss(self, element: Element) -> None:
        fault = element.find("fault")
        found = SoapFault("MethodFault") if fault is None else localized(fault)
        privilege = found.about if found.name == "NoPermission" else None
        told = f"{found.name}: {privilege}" if privilege else found.name
        self._missing[element.findtext("path", "")] = self._word(told)


class _ArrayReader:
    """The inside of an array of texts, such as references."""

    def __init__(self, stream: Stream, done: Callable[[tuple[str, ...]], None]) -> None:
        self._stream, self._done = stream, done
        self._words: dict[str, str] = {}
        self._items: list[str] = []

    def start(self, _name: str, _attributes: dict[str, str]) -> None:
        """An item begins."""
        self._stream.texts.clear()

    def end(self, name: str) -> None:
        """An item ends, or the array."""
        if name == "val":
            items, self._items = tuple(self._items), []
            self._stream.leave()
            self._done(items)
        else:
            text = "".join(self._stream.texts)
            self._items.append(self._words.setdefault(text, text))
        self._stream.texts.clear()


def _ignore(_element: Element) -> None:
    pass
