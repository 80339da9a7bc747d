"""A session with the mail server: reached, recognised, logged in, or one sentence saying why not.

The connection is made here and not by smtplib, so that one clock stands over all of it: a server
that sends a byte a minute keeps no answer's timeout from beginning anew.
"""

from __future__ import annotations

import base64
import binascii
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from snapaudit.config.settings import Mail
from snapaudit.errors import MailError
from snapaudit.model.endpoint import Tls
from snapaudit.trust import WrongCertificate, compare, trust, verdict

_READY, _GO_AHEAD = 220, 220
_SMTPS, _SUBMISSION, _RELAY = 465, 587, 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server may take: for an answer, and for a whole message with all before it.

    RFC 5321 (4.5.3.2) would let it think for ten minutes; nobody reads the report meanwhile.
    """

    answer_seconds: float = 60
    whole_seconds: float = 600


class Session:
    """One logged-in connection. ``smtp`` speaks; ``said`` words a server's answer for a person."""

    def __init__(self, place: str, secrets: tuple[str, ...], patience: Patience) -> None:
        self.place = place
        self.smtp = smtplib.SMTP(timeout=patience.answer_seconds)
        self._secrets = secrets
        self._patience = patience
        self._spare: socket.socket | None = None
        self._is_overdue = False

    def said(self, code: int, answer: bytes | str) -> str:
        """``550 no such user``: the code with its text, and never the password in it."""
        text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return f"{code} {' '.join(text.split())}".strip()

    def why(self, error: Exception) -> str:
        """What went wrong with the connection."""
        if self._is_overdue:
            return f"was not done after {self._patience.whole_seconds:g} s"
        # smtplib says "disconnected" of an answer that did not come in time, too.
        match error.__context__ if isinstance(error.__context__, TimeoutError) else error:
            case smtplib.SMTPResponseException(smtp_code=code, smtp_error=answer):
                return f"answered {self.said(code, answer)}"
            case TimeoutError():
                return f"did not answer within {self._patience.answer_seconds:g} s"
            case ConnectionRefusedError():
                return "nothing listens there; compare host and port of mail.smtp"
            case smtplib.SMTPServerDisconnected() | ConnectionError():
                return "closed the connection"
            case smtplib.SMTPException():
                return self.said(0, str(error)).removeprefix("0 ")
            case _:
                return getattr(error, "strerror", None) or type(error).__name__

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Everything in the block together may take as long as a whole message."""
        self._is_overdue = False
        timer = threading.Timer(self._patience.whole_seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def take(self, line: socket.socket) -> None:
        """Speak over this connection. A second handle of it stays to cut it by."""
        self._spare = line.dup()
        self.speak(line)

    def speak(self, line: socket.socket) -> None:
        """Speak over a connection, forgetting what was said before (RFC 3207, 4.2)."""
        self.smtp.sock, self.smtp.file = line, None
        self.smtp.helo_resp = self.smtp.ehlo_resp = None
        self.smtp.esmtp_features, self.smtp.does_esmtp = {}, False

    def _cut(self) -> None:
        self._is_overdue = True
        if self._spare is not None:
            with suppress(OSError):
                self._spare.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Go without a word, which a server has to bear."""
        self.smtp.close()
        if self._spare is not None:
            self._spare.close()


def open_session(settings: Mail, password: str | None, patience: Patience) -> Session:
    """A session that is ready for messages. Raises MailError naming server, reason and repair."""
    host, port = address(settings)
    session = Session(f"{host}:{port}", _secrets(settings, password), patience)
    with ExitStack() as unless_ready:
        unless_ready.callback(session.close)
        try:
            with session.watched():
                _reach(session, settings, host, port)
                _log_in(session, settings, password)
        except (OSError, smtplib.SMTPException, WrongCertificate) as error:
            raise _named(session, settings, error) from None
        unless_ready.pop_all()
    return session


def _named(
    session: Session, settings: Mail, error: OSError | smtplib.SMTPException | WrongCertificate
) -> MailError:
    match error:
        case WrongCertificate():
            return _fault(session, str(error))
        case ssl.SSLCertVerificationError():
            return _fault(session, f"the certificate is refused: {verdict(error)}")
        case ssl.SSLError():
            return _fault(session, _no_tls(session, settings, error))
        case _:
            return _fault(session, session.why(error))


def address(settings: Mail) -> tuple[str, int]:
    """Host and port; without a port in the URL the one of its kind of service."""
    parts = urlsplit(settings.smtp)
    plain = _RELAY if settings.password is None else _SUBMISSION
    return parts.hostname or "", parts.port or (_SMTPS if parts.scheme == "smtps" else plain)


def _secrets(settings: Mail, password: str | None) -> tuple[str, ...]:
    """What a server that repeats its input could show: the password, and what travels of it."""
    if not password:
        return ()
    together = f"\0{settings.username}\0{password}"
    travelling = (base64.b64encode(one.encode()).decode() for one in (together, password))
    return (*travelling, password)


def _fault(session: Session, why: str) -> MailError:
    return MailError(f"mail server {session.place}: {why}")


def _reach(session: Session, settings: Mail, host: str, port: int) -> None:
    try:
        line = socket.create_connection((host, port), timeout=session.smtp.timeout)
    except socket.gaierror:
        raise _fault(session, f"the name {host} cannot be resolved") from None
    session.take(line)
    if settings.smtp.startswith("smtps:"):
        session.speak(_encrypted(line, settings.tls, host))
    code, answer = session.smtp.getreply()
    if code != _READY:
        raise _fault(session, f"answered {session.said(code, answer)}")
    session.smtp.ehlo_or_helo_if_needed()
    if settings.starttls and settings.smtp.startswith("smtp:"):
        _start_tls(session, settings, host, line)


def _start_tls(session: Session, settings: Mail, host: str, line: socket.socket) -> None:
    if not session.smtp.has_extn("starttls"):
        repair = "use smtps://, or 'starttls: false' where the network is trusted"
        raise _fault(session, f"offers no STARTTLS, and nothing is sent in the clear; {repair}")
    code, answer = session.smtp.docmd("STARTTLS")
    if code != _GO_AHEAD:
        raise _fault(session, f"refused STARTTLS: {session.said(code, answer)}")
    session.speak(_encrypted(line, settings.tls, host))
    session.smtp.ehlo_or_helo_if_needed()


def _encrypted(line: socket.socket, tls: Tls, host: str) -> ssl.SSLSocket:
    """The same connection with TLS; the certificate is checked before anything else is said."""
    wanted = trust(tls)
    encrypted = wanted.context.wrap_socket(line, server_hostname=host)
    compare(encrypted, wanted.pin, host)
    return encrypted


def _no_tls(session: Session, settings: Mail, error: ssl.SSLError) -> str:
    hint = ""
    if settings.smtp.startswith("smtps:") and error.reason == "WRONG_VERSION_NUMBER":
        hint = "; it does not begin with TLS there: smtp:// asks for it by STARTTLS"
    return f"no encrypted connection: {error.reason or session.why(error)}{hint}"


def _log_in(session: Session, settings: Mail, password: str | None) -> None:
    if password is None or settings.username is None:
        return
    who = f"the login of {settings.username}"
    try:
        session.smtp.login(settings.username, password)
    except smtplib.SMTPAuthenticationError as error:
        refusal = session.said(error.smtp_code, error.smtp_error)
        raise _fault(session, f"{who} was refused: {refusal}") from None
    except smtplib.SMTPNotSupportedError:
        raise _fault(session, f"{who} is not possible: it offers none") from None
    except binascii.Error:
        raise _fault(session, f"{who} failed: the server's question cannot be read") from None
    except UnicodeEncodeError:
        raise _fault(session, f"{who} is not possible: name or password is not ASCII") from None
