"""The search itself: it finds a credential however it is written, and never says it."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import quopri
import zipfile
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import xlsxwriter

from tests.canaries import CREDENTIALS, MARK, POOL, SMTP
from tests.canaries.search import expect_none, in_content, in_file, in_folder


def _zipped(raw: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", raw)
    return kept.getvalue()


def _sheet(text: str) -> bytes:
    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"in_memory": True}) as book:
        book.add_worksheet().write_string(3, 1, text)
    return kept.getvalue()


def _mailed(raw: bytes) -> bytes:
    return base64.encodebytes(raw).replace(b"\n", b"\r\n")


def _after(before: int, write: Callable[[bytes], bytes], text: str, code: str = "utf-8") -> bytes:
    return write(b"u" * before + text.encode(code) + b"z")


# Written by the standard library and others, not by what the search reckons with.
WRITTEN: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "URL": lambda text: quote(text, safe="").encode(),
    "query": lambda text: quote_plus(text).encode(),
    "page": lambda text: escape(text).encode(),
    "JSON": lambda text: json.dumps(text).encode(),
    "Python": lambda text: repr(text).encode(),
    "UTF-16 LE": lambda text: text.encode("utf-16-le"),
    "UTF-16 BE": lambda text: text.encode("utf-16-be"),
    "base64 of UTF-16 BE": lambda text: base64.b64encode(text.encode("utf-16-be")),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "hex of UTF-16 LE": lambda text: text.encode("utf-16-le").hex().encode(),
    "hex of UTF-16 BE": lambda text: text.encode("utf-16-be").hex().upper().encode(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text).encode(),
    "sheet": _sheet,
    "packed": lambda text: gzip.compress(text.encode()),
    "zip": lambda text: _zipped(text.encode()),
    "zip of packed": lambda text: _zipped(gzip.compress(text.encode())),
    "packed base64": lambda text: gzip.compress(base64.b64encode(text.encode())),
    **{f"base64 after {n}": partial(_after, n, base64.b64encode) for n in range(4)},
    **{f"URL's base64 after {n}": partial(_after, n, base64.urlsafe_b64encode) for n in range(3)},
    **{f"base64 of UTF-16 after {n}": partial(_after, n, base64.b64encode, code="utf-16-le")
       for n in range(3)},
    # In lines, each time with another place where the line ends.
    **{f"mail's base64 after {n}": partial(_after, n, _mailed) for n in range(40, 60)},
    **{f"mail's quoted after {n}": partial(_after, n, quopri.encodestring) for n in range(60, 76)},
}  # fmt: skip


@pytest.mark.parametrize("way", WRITTEN)
def test_tst_13_the_search_finds_every_credential_however_it_is_written(way: str) -> None:
    for name, value in CREDENTIALS.items():
        found = list(in_content(WRITTEN[way](value), "there"))
        assert found, name
        said = "\n".join(map(str, found))
        assert said.startswith("there")
        assert MARK not in said


def test_tst_13_it_tells_which_credential_it_was() -> None:
    for name, value in CREDENTIALS.items():
        for written in (value.encode(), value.encode("utf-16-le"), value.encode().hex().encode()):
            [found] = in_content(b"ab" + written + b"\xff", "there")
            assert found.credential == name
        [found] = in_content(binascii.b2a_base64(f"user:{value}".encode()), "there")
        assert (found.credential, found.writing) == (name, "base64")


def test_tst_13_of_one_that_was_cut_it_tells_the_place() -> None:
    [found] = in_content(b"x" * 7 + MARK.encode(), "there")
    assert (found.offset, found.credential) == (7, "the beginning of one, or one escaped")


@pytest.mark.parametrize("before", [b"", b"a\nb\r\n\r\rc", b"a=\nb\n", b"a=b=\r\n\rc", b"\n" * 9])
def test_tst_13_the_offset_is_that_of_the_file_and_not_of_its_joined_lines(before: bytes) -> None:
    [found] = in_content(before + POOL.encode() + b"\nmore", "there")
    assert found.offset == len(before)


def test_tst_13_each_credential_in_a_file_is_told_once() -> None:
    found = list(in_content(f"{POOL}{SMTP}{POOL}{SMTP}".encode(), "there"))
    assert [(one.offset, one.credential) for one in found] == [
        (0, "pool"),
        (len(POOL.encode()), "smtp"),
    ]


def test_what_only_looks_like_one_is_none() -> None:
    for text in (MARK[:-1], MARK.upper(), MARK[::-1], MARK.replace("Q", "q")):
        assert list(in_content(text.encode(), "there")) == []


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"\x1f\x8bnone", b"PK\x03\x04none", b"\n"])
def test_what_is_no_archive_after_all_is_read_as_it_is(content: bytes) -> None:
    assert list(in_content(content, "there")) == []
    assert len(list(in_content(content + POOL.encode(), "there"))) == 1


def test_a_hole_of_a_file_costs_nothing_and_hides_nothing(tmp_path: Path) -> None:
    path = tmp_path / "given" / "sparse"
    path.parent.mkdir()
    with path.open("wb") as stream:
        stream.seek(2**36)
        stream.write(POOL.encode())
        stream.truncate(2**37)
    [found] = in_file(path)
    assert (found.offset, found.credential) == (2**36, "pool")


def test_a_name_of_a_file_or_a_folder_can_give_it_away_too(tmp_path: Path) -> None:
    path = tmp_path / "given" / CREDENTIALS["smtp"]
    path.parent.mkdir()
    path.symlink_to("nowhere")
    path.parent.joinpath(f"{MARK}-of-a-folder").mkdir()
    found = {each.credential: str(each) for each in in_folder(path.parent)}
    assert set(found) == {"smtp", "the beginning of one, or one escaped"}
    assert MARK not in "".join(found.values())


def test_tst_13_what_a_program_says_is_refused_without_repeating_it() -> None:
    expect_none("nothing", "stdout")
    with pytest.raises(AssertionError, match="stdout: at byte 4: pool, as plain") as caught:
        expect_none(f"say {POOL}", "stdout")
    assert MARK not in str(caught.value)
