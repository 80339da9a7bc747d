"""Letters with sensible defaults, and the settings of the server that a test runs."""

from __future__ import annotations

from typing import Any

from snapaudit.config.settings import Mail
from snapaudit.mail.message import message
from snapaudit.mail.sending import Outgoing
from snapaudit.model.endpoint import SecretReference, SecretSource, Tls
from snapaudit.model.letter import Letter
from tests.beds.certificates import for_loopback
from tests.builders import NOW

SENDER = "snapaudit@example.org"
TEAM = ("team@example.org",)


def letter(*to: str, **changes: Any) -> Letter:
    fields: dict[str, Any] = {
        "run": "run-1",
        "part": "",
        "to": to or TEAM,
        "subject": "snapaudit: CRITICAL",
        "text": "One thing.\n.\n..dots\n",
        "page": "<!doctype html><title>x</title><p>One thing.</p>",
    }
    return Letter(**{**fields, **changes})


def outgoing(*to: str, **changes: Any) -> Outgoing:
    made = letter(*to, **changes)
    ready = message(made, sender=SENDER, now=NOW)
    return Outgoing(letter=made, message=ready, recipients=made.to)


def settings(port: int, scheme: str = "smtp", **changes: Any) -> Mail:
    fields: dict[str, Any] = {
        "smtp": f"{scheme}://127.0.0.1:{port}",
        "sender": SENDER,
        "to": TEAM,
        "tls": Tls(ca_file=str(for_loopback() / "cacert.pem")),
        "starttls": False,
    }
    if changes.pop("login", False):
        reference = SecretReference(source=SecretSource.ENV, name="SMTP_PASSWORD")
        fields |= {"username": "me", "password": reference}
    return Mail(**{**fields, **changes})
