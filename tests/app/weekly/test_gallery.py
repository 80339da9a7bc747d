from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from tests.examples import FOLDER, example_mail


def _said(body: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """What a reader sees, however this version of Python folds lines."""
    mail = BytesParser(policy=policy.default).parsebytes(body)
    assert isinstance(mail, EmailMessage)
    parts = (part for part in mail.walk() if not part.is_multipart())
    headers = [(name, " ".join(value.split())) for name, value in mail.items()]
    return headers, [part.get_content() for part in parts]


def test_the_mail_of_the_gallery_is_what_is_made_today() -> None:
    assert _said(example_mail()) == _said((FOLDER / "weekly.eml").read_bytes()), "make examples"
