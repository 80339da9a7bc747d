"""TST-12 for the mail: a name that breaks formats goes from the report to the wire and back."""

from __future__ import annotations

import csv
import io
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import html5lib
import pytest

from snapaudit.app.mailing import preview
from snapaudit.app.weekly.letters import mailing
from snapaudit.report.escape import csv_cell, mail_text, plain
from tests.builders import NOW
from tests.mail.letters import SENDER, settings
from tests.report.hostile import hostile_names
from tests.report.weeks import named

# Each way of breaking something stands more than once in the list.
NAMES = tuple(hostile_names())[::4]


def sent(name: str, *, owner: str | None = None) -> EmailMessage:
    [letter] = mailing(named(name), settings(25), owner=owner, to=("a@b",)).letters
    body = preview(letter, SENDER, NOW)
    read = BytesParser(policy=policy.default).parsebytes(body)
    assert isinstance(read, EmailMessage)
    assert not [defect for part in read.walk() for defect in part.defects]
    assert read["To"] == "a@b"
    assert read["Bcc"] is None
    return read


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


@pytest.mark.parametrize("name", NAMES)
def test_tst_12_a_hostile_name_comes_back_from_text_page_and_attached_page(name: str) -> None:
    mail = sent(name)
    shown = " ".join(mail_text(name, 60).split())
    assert shown in " ".join(part(mail, "plain").split())
    [attached] = mail.iter_attachments()
    whole = attached.get_payload(decode=True)
    assert isinstance(whole, bytes)
    for page, expected in ((part(mail, "html"), shown), (whole.decode(), plain(name))):
        root = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
        assert " ".join(expected.split()) in " ".join("".join(root.itertext()).split())


@pytest.mark.parametrize("name", [name for name in NAMES if name.strip()])
def test_tst_12_an_owner_with_a_hostile_name_gets_his_part(name: str) -> None:
    mail = sent(name, owner=name)
    assert mail["Subject"].isprintable()
    [attached] = mail.iter_attachments()
    rows = attached.get_payload(decode=True)
    assert isinstance(rows, bytes)
    found = list(csv.DictReader(io.StringIO(rows.decode(), newline="")))
    assert {one["owner"] for one in found if one["owner"]} == {csv_cell(name.strip())}
