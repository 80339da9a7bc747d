from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest

from snapaudit.mail.message import message
from snapaudit.model.letter import Attachment, Letter
from snapaudit.report.escape import plain
from tests.builders import NOW
from tests.mail.letters import SENDER, letter
from tests.report.hostile import hostile_names


def read_back(sent: Letter, attempt: int = 0) -> EmailMessage:
    """As a mail program reads it: the standard library's parser over the bytes on the wire."""
    body = message(sent, sender=SENDER, now=NOW, attempt=attempt).as_bytes()
    assert max(len(line) for line in body.split(b"\r\n")) <= 998
    assert body.replace(b"\r\n", b"").count(b"\n") == 0
    assert body.isascii(), "a server need not take anything else"
    read = BytesParser(policy=policy.default).parsebytes(body)
    assert not [defect for part in read.walk() for defect in part.defects]
    return read


def test_programs_see_that_no_person_wrote_it() -> None:
    read = read_back(letter())
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["X-Auto-Response-Suppress"] == "All"
    assert read["List-Id"].endswith("<weekly.snapaudit.example.org>")
    assert read["Date"].datetime == NOW


def test_text_comes_before_the_page_and_files_come_last() -> None:
    page = Attachment(name="report.html", kind="text/html", body=b"<p>\xc3\xa9")
    read = read_back(letter(attachments=(page,)))
    kinds = [part.get_content_type() for part in read.walk()]
    assert kinds == [
        *("multipart/mixed", "multipart/alternative"),
        *("text/plain", "text/html", "text/html"),
    ]
    [attached] = read.iter_attachments()
    assert (attached.get_filename(), attached.get_payload(decode=True)) == (page.name, page.body)


def test_a_letter_is_always_the_same_and_again_is_another_one() -> None:
    first = message(letter(), sender=SENDER, now=NOW).as_bytes()
    assert first == message(letter(), sender=SENDER, now=NOW).as_bytes()
    assert read_back(letter())["Message-ID"] != read_back(letter(), attempt=1)["Message-ID"]
    assert read_back(letter())["Message-ID"] != read_back(letter(part="al"))["Message-ID"]


@pytest.mark.parametrize("name", tuple(hostile_names()))
def test_a_hostile_name_survives_in_every_part_and_makes_no_header(name: str) -> None:
    shown = plain(name)
    sent = letter(subject=f"about {shown}.", text=f"{shown}.\n", page=f"<p>{shown}.</p>", part=name)
    read = read_back(sent)
    assert sorted(read.keys()) == sorted(read_back(letter()).keys())
    assert " ".join(read["Subject"].split()) == " ".join(f"about {shown}.".split())
    text, page = read.get_body(("plain",)), read.get_body(("html",))
    assert text is not None
    assert page is not None
    assert text.get_content().rstrip("\r\n") == f"{shown}."
    assert page.get_content().rstrip("\r\n") == f"<p>{shown}.</p>"


def test_a_second_header_in_a_subject_is_refused() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        message(letter(subject="a\r\nBcc: x@y"), sender=SENDER, now=NOW)
