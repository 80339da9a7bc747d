"""A letter as a message that mail programs show and that nothing answers by itself.

Text first and the page beside it (RFC 2046, 5.1.4: the best alternative last), files behind both.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from snapaudit.model.letter import Attachment, Letter

_LIST = "snapaudit weekly report"


def message(letter: Letter, *, sender: str, now: datetime, attempt: int = 0) -> EmailMessage:
    """The message. Equal arguments give equal bytes.

    ``attempt`` tells a letter that is sent again on purpose from the first one: a mail store that
    sees one identifier twice keeps one message.
    """
    made = EmailMessage(policy=SMTP)
    for name, value in _headers(letter, sender, now, attempt).items():
        made[name] = value
    made.set_content(letter.text, cte="quoted-printable")
    made.add_alternative(letter.page, subtype="html", cte="quoted-printable")
    for one in letter.attachments:
        _attach(made, one)
    _fix_boundaries(made, identity(letter, attempt))
    return made


def identity(letter: Letter, attempt: int = 0) -> str:
    """What tells one letter from another, always the same for the same."""
    said = "\0".join((letter.run, letter.part, str(attempt)))
    return hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _headers(letter: Letter, sender: str, now: datetime, attempt: int) -> dict[str, str]:
    domain = sender.rpartition("@")[2]
    return {
        "From": sender,
        "To": ", ".join(letter.to),
        "Subject": letter.subject,
        "Date": format_datetime(now),
        "Message-ID": f"<{identity(letter, attempt)}@{domain}>",
        # No out-of-office note comes back (RFC 3834; the second is what Exchange looks at).
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        # What people filter by (RFC 2919).
        "List-Id": f"{_LIST} <weekly.snapaudit.{domain}>",
    }


def _attach(made: EmailMessage, one: Attachment) -> None:
    maintype, _, subtype = one.kind.partition("/")
    made.add_attachment(one.body, maintype=maintype, subtype=subtype, filename=one.name)


def _fix_boundaries(made: EmailMessage, seed: str) -> None:
    """The library's boundaries are random; long ones of our own stand in no text either."""
    parts = (part for part in made.walk() if part.is_multipart())
    for number, part in enumerate(parts):
        part.set_boundary(f"=_{number}_{seed}")
