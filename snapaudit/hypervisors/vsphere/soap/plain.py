"""Properties read off an object's bytes before anything is parsed: plain values and records.

Machines are written one like the other: up to the value, each property has the same bytes in all
of them, in the same order. So what was seen once is looked for where it has to come next. Texts
with escapes or line breaks, and forms not seen before, are left to the parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from snapaudit.hypervisors.vsphere.raw import RawSnapshot, RawTree
from snapaudit.hypervisors.vsphere.soap.plain_layout import PlainLayouts
from snapaudit.hypervisors.vsphere.soap.simple import Convert, moment

_PROPERTY = re.compile(
    rb"<propSet><name>([\w.]+)</name>"
    rb'<val(?: xmlns:[\w.-]+="[^"<>&]*")? [\w.-]+:type="[\w.:-]+"(?: type="\w+")?>'
)
_END, _END_OF_VALUE = b"</propSet>", b"</val></propSet>"
_TEXT = rb"([^<&\x00-\x1f]*)"
_CURRENT = re.compile(rb'<currentSnapshot type="\w+">%b</currentSnapshot>' % _TEXT)
_NODE = re.compile(
    rb'<(?:root|child)SnapshotList><snapshot type="\w+">%b</snapshot><vm type="\w+">[^<]*</vm>'
    rb"<name>%b</name><description>%b</description><id>(\d{1,9})</id>"
    rb"<createTime>([\w:.+-]+)</createTime><state>(\w+)</state><quiesced>(true|false)</quiesced>"
    rb"(?:<backupManifest>%b</backupManifest>)?" % (_TEXT, _TEXT, _TEXT, _TEXT),
    re.ASCII,
)
_END_OF_NODE = re.compile(
    rb"(?:<replaySupported>(?:true|false)</replaySupported>)?</(?:root|child)SnapshotList>"
)
# Forms of all properties that are asked for, and some more for objects of other kinds.
_MOST = 100

_Form = tuple[bytes, str, Convert | None]
_Record = Callable[[bytes, int], tuple[object, int] | None]
"""Reads the value that begins somewhere, and says where its property ends; None: it did not."""


class Properties:
    """Knows which forms came so far. ``conversions`` are by path; others are left to the parser."""

    def __init__(self, conversions: Mapping[str, Convert]) -> None:
        self._conversions = conversions
        self._records: dict[str, _Record] = {
            "snapshot": _snapshots,
            "layoutEx": PlainLayouts().read,
        }
        self._ours = {*conversions, *self._records}
        self._forms: list[_Form] = []
        self._is_of_use = True

    def read(self, data: bytes, at: int, values: dict[str, object]) -> Iterator[bytes]:
        """Fill in the values that are read here, and give back the bytes of all the others."""
        forms, place = self._forms, 0
        while self._is_of_use:
            if place == len(forms) or not data.startswith(forms[place][0], at):
                place = self._form(data, at, place)
                if place < 0:
                    break
            begin, path, convert = forms[place]
            end = self._value(data, at + len(begin), path, convert, values)
            if end < 0:
                end = data.find(_END, at) + len(_END)
                yield data[at:end]
            at = end
            place += 1
        self._is_of_use = any(path in self._ours for _, path, _ in self._forms)
        yield data[at:]

    def _form(self, data: bytes, at: int, place: int) -> int:
        """Which form comes now, looked for from a place on; one that is new is put there."""
        for number in range(place, len(self._forms)):
            if data.startswith(self._forms[number][0], at):
                return number
        new = _PROPERTY.match(data, at) if len(self._forms) < _MOST else None
        if new is None or data.find(_END, at) < 0:
            return -1
        path = new[1].decode()
        self._forms.insert(place, (new[0], path, self._conversions.get(path)))
        return place

    def _value(
        self,
        data: bytes,
        at: int,
        path: str,
        convert: Convert | None,
        values: dict[str, object],
    ) -> int:
        """Where the property ends that was read; -1 if it was not."""
        if convert is not None:
            end = data.find(b"<", at)
            text = data[at:end].decode()
            if data.startswith(_END_OF_VALUE, end) and "&" not in text and _is_plain(text):
                values[path] = convert(text)
                return end + len(_END_OF_VALUE)
        elif path in self._records and (read := self._records[path](data, at)):
            values[path], end = read
            return end
        return -1


def _is_plain(text: str) -> bool:
    return text.isprintable()


def _snapshots(data: bytes, at: int) -> tuple[RawTree, int] | None:
    """A vim.vm.SnapshotInfo, and where its property ends."""
    current = _CURRENT.match(data, at)
    at = current.end() if current else at
    found: list[RawSnapshot] = []
    line: list[str] = []
    while not data.startswith(_END_OF_VALUE, at):
        if node := _NODE.match(data, at):
            found.append(_snapshot(node, line[-1] if line else None))
            line.append(found[-1].moid)
            at = node.end()
        elif line and (end := _END_OF_NODE.match(data, at)):
            line.pop()
            at = end.end()
        else:
            return None
    if line:
        return None
    tree = RawTree(current[1].decode() if current else None, tuple(found))
    return tree, at + len(_END_OF_VALUE)


def _snapshot(node: re.Match[bytes], parent: str | None) -> RawSnapshot:
    moid, name, description, number, created, state, quiesced, manifest = node.groups()
    return RawSnapshot(
        moid.decode(),
        int(number),
        name.decode(),
        description.decode(),
        moment(created.decode()),
        state.decode(),
        quiesced == b"true",
        parent,
        None if manifest is None else manifest.decode(),
    )
