"""Letters are handed to the server, one after the other; each recipient has a fate of its own."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage

from snapaudit.config.settings import Mail
from snapaudit.errors import MailError
from snapaudit.mail.session import Patience, Session, open_session
from snapaudit.model.letter import Delivery, Fate, Letter

_DONE, _GO_ON = 250, 354
_TAKEN = (250, 251)
_DOT = re.compile(rb"^\.", re.MULTILINE)
_Noted = Callable[[tuple[str, ...]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A letter with its message, for the recipients that are to get it now."""

    letter: Letter
    message: EmailMessage
    recipients: tuple[str, ...]


class Post:
    """The way to the server. One connection serves all letters; a broken one is made anew."""

    def __init__(self, settings: Mail, password: str | None, patience: Patience | None = None):
        self._settings, self._password = settings, password
        self._patience = patience or Patience()
        self._session: Session | None = None
        self._closed_because = ""

    def deliver(self, letter: Outgoing, note: _Noted) -> tuple[Delivery, ...]:
        """The fate of the letter for each of its recipients.

        ``note`` is called with those for whom the server could take it from then on: what is not
        written down by then could be mailed twice. What it raises ends the sending. A server that
        cannot be reached is not tried again for the letters that are left.
        """
        if not self._closed_because:
            try:
                return self._sent(letter, note)
            except MailError as error:
                self._closed_because = str(error)
        return _all(letter, letter.recipients, Fate.FAILED, self._closed_because)

    def _sent(self, letter: Outgoing, note: _Noted) -> tuple[Delivery, ...]:
        if self._session is None:
            self._session = open_session(self._settings, self._password, self._patience)
        with self._session.watched():
            fates = _handed_over(self._session, self._settings.sender, letter, note)
        if any(one.fate in (Fate.FAILED, Fate.UNKNOWN) for one in fates):
            self._drop()
        return fates

    def close(self) -> None:
        """End the connection, if there is one, as the protocol wants it."""
        if self._session is not None:
            with suppress(OSError, smtplib.SMTPException), self._session.watched():
                self._session.smtp.quit()
        self._drop()

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
        self._session = None


def _handed_over(
    session: Session, sender: str, letter: Outgoing, note: _Noted
) -> tuple[Delivery, ...]:
    refused: dict[str, str] = {}
    fate, why = Fate.FAILED, ""
    try:
        _envelope(session, sender, letter.recipients, refused)
        accepted = tuple(one for one in letter.recipients if one not in refused)
        if accepted:
            note(accepted)
            fate, why = _content(session, letter.message)
        if fate is not Fate.SENT:
            session.smtp.rset()
    except (OSError, smtplib.SMTPException) as error:
        # Also what broke while cleaning up: the next letter then has a connection of its own.
        why = why or f"mail server {session.place}: {session.why(error)}"
    left = (one for one in letter.recipients if one not in refused)
    said_no = (
        Delivery(recipient=one, part=letter.letter.part, fate=Fate.REFUSED, reason=reason)
        for one, reason in refused.items()
    )
    return (*_all(letter, left, fate, why), *said_no)


def _envelope(
    session: Session, sender: str, recipients: tuple[str, ...], refused: dict[str, str]
) -> None:
    """Offer sender and recipients; who is refused is put down with the server's words."""
    code, answer = session.smtp.mail(sender)
    if code != _DONE:
        words = f"mail server {session.place}: refused the sender: {session.said(code, answer)}"
        refused.update(dict.fromkeys(recipients, words))
        return
    for one in recipients:
        code, answer = session.smtp.rcpt(one)
        if code not in _TAKEN:
            refused[one] = f"mail server {session.place}: refused: {session.said(code, answer)}"


def _content(session: Session, message: EmailMessage) -> tuple[Fate, str]:
    """Hand the message itself over, and say what became of it for all accepted recipients."""
    code, answer = session.smtp.docmd("DATA")
    if code != _GO_ON:
        words = f"refused the message: {session.said(code, answer)}"
        return Fate.REFUSED, f"mail server {session.place}: {words}"
    try:
        session.smtp.send(_DOT.sub(b"..", message.as_bytes()) + b".\r\n")
        code, answer = session.smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        words = f"{session.why(error)} while it took the message, which may have been delivered"
        return Fate.UNKNOWN, f"mail server {session.place}: {words}"
    if code != _DONE:
        words = f"refused the message: {session.said(code, answer)}"
        return Fate.REFUSED, f"mail server {session.place}: {words}"
    return Fate.SENT, ""


def _all(
    letter: Outgoing, recipients: Iterable[str], fate: Fate, reason: str
) -> tuple[Delivery, ...]:
    return tuple(
        Delivery(recipient=one, part=letter.letter.part, fate=fate, reason=reason)
        for one in recipients
    )
