"""Where a credential stands in what a run of the tests has left: files, archives, text.

A finding names the place, the credential and the writing. It never shows what it found.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tests.canaries import CREDENTIALS, MARK
from tests.canaries.writings import WRITINGS

_NEEDLES = [(name, needle) for name, form in WRITINGS.items() for needle in set(form(MARK))]
_LINE_END = re.compile(rb"=?\r?\n|\r")
_GZIP = zlib.MAX_WBITS + 16
_MOST = 2**27  # bytes: what unfolds to more than this was made to test just that
_DEEPEST = 3  # archives within archives


@dataclass(frozen=True, slots=True)
class Finding:
    """A credential at a place. The offset is that of its first byte."""

    place: str
    offset: int
    credential: str
    writing: str

    def __str__(self) -> str:
        said = f"{self.place}: at byte {self.offset}: {self.credential}, as {self.writing}"
        for name, value in CREDENTIALS.items():  # a place may be named after one
            said = said.replace(value, f"<{name}>")
        return said.replace(MARK, "<mark>")


def in_content(content: bytes, place: str, depth: int = 0) -> Iterator[Finding]:
    """What stands in these bytes, and in the archive that they are; each where it stands first.

    Mails and keys break their base64 into lines, which must not hide anything: so line ends are
    left out.
    """
    flat = _joined(content)
    firsts = dict[tuple[str, str], int]()
    for writing, needle in _NEEDLES:
        at = flat.find(needle)
        while at >= 0:
            firsts.setdefault((_whose(flat, at, writing), writing), at)
            at = flat.find(needle, at + 1)
    for (name, writing), at in firsts.items():
        yield Finding(place, _before_folding(content, at), name, writing)
    if depth < _DEEPEST:
        for name, part in _parts(content):
            yield from in_content(part, f"{place}{name}", depth + 1)


def _joined(content: bytes) -> bytes:
    if b"=\n" in content or b"=\r\n" in content:
        return _LINE_END.sub(b"", content)
    return content.translate(None, b"\r\n")  # the same, at ten times the speed


def _whose(content: bytes, at: int, writing: str) -> str:
    fitting = [(len(code), name) for code, name in _codes(writing) if content.startswith(code, at)]
    return max(fitting)[1] if fitting else "the beginning of one, or one escaped"


@cache
def _codes(writing: str) -> list[tuple[bytes, str]]:
    return [
        (code, name) for name, value in CREDENTIALS.items() for code in WRITINGS[writing](value)
    ]


def _before_folding(content: bytes, at: int) -> int:
    """Where the byte stands that is at ``at`` once the lines are joined."""
    for end in _LINE_END.finditer(content):
        if end.start() > at:
            break
        at += end.end() - end.start()
    return at


def _parts(content: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        if content.startswith(b"\x1f\x8b"):
            yield " (unpacked)", zlib.decompressobj(_GZIP).decompress(content, _MOST)
        elif content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for each in archive.infolist():
                    if each.file_size <= _MOST:
                        yield f"!{each.filename}", archive.read(each)
    # Broken, encrypted or packed in a way of its own: then nobody reads it, us included.
    except (zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
        return


def in_file(path: Path) -> Iterator[Finding]:
    """What stands in a file, or in its name; holes are not read."""
    yield from in_content(os.fsencode(path.name), f"a name in {path.parent}")
    with suppress(FileNotFoundError):  # a server that still runs takes its own files away
        kind = path.lstat()
        if stat.S_ISREG(kind.st_mode):
            for start, content in _filled(path, kind):
                for one in in_content(content, str(path)):
                    yield replace(one, offset=start + one.offset)


def _filled(path: Path, kind: os.stat_result) -> Iterator[tuple[int, bytes]]:
    """The parts of a file that were written, each with where it begins."""
    if kind.st_blocks * 512 >= kind.st_size:
        yield 0, path.read_bytes()
        return
    with path.open("rb") as stream:
        end = 0
        while end < kind.st_size:
            try:
                start = os.lseek(stream.fileno(), end, os.SEEK_DATA)
            except OSError:  # there is nothing but a hole
                return
            end = os.lseek(stream.fileno(), start, os.SEEK_HOLE)
            yield start, os.pread(stream.fileno(), end - start, start)


def in_folder(folder: Path) -> list[Finding]:
    """What stands in it, in all that is beneath it, and in their names."""
    return [found for path in sorted(folder.rglob("*")) for found in in_file(path)]


def expect_none(content: bytes | str, place: str) -> None:
    """Fail if a credential stands in what a program said or sent."""
    raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    found = "\n".join(map(str, in_content(raw, place)))
    if found:
        raise AssertionError(f"a credential is given away:\n{found}")
