"""Mail servers on loopback: a real one that keeps what it gets, and ones that break off."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests import canaries
from tests.beds.certificates import for_loopback
from tests.canaries.search import expect_none


@dataclass(slots=True)
class Kept:
    """One message as it arrived."""

    sender: str
    recipients: tuple[str, ...]
    body: bytes


@dataclass(slots=True)
class MailServer:
    """What the server says no to, and what it got. ``login`` is who logged in last."""

    port: int = 0
    refuse: Mapping[str, str] = field(default_factory=dict)
    data_answer: str = "250 taken"
    kept: list[Kept] = field(default_factory=list)
    connections: int = 0
    login: str = ""

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.data_answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            recipients = tuple(envelope.rcpt_tos)
            self.kept.append(Kept(str(envelope.mail_from), recipients, content))
        return self.data_answer

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.login = data.login.decode()
        return AuthResult(success=data.password == canaries.SMTP.encode(), handled=False)


def server_context() -> ssl.SSLContext:
    folder = for_loopback()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "servercert.pem", folder / "serverkey.pem")
    return context


@contextmanager
def mail_server(tls: str = "", *, login: bool = False, **answers: Any) -> Iterator[MailServer]:
    """``tls``: empty, ``starttls`` or ``smtps``. ``login``: a session has to log in first."""
    kept = MailServer(**answers)
    context = server_context() if tls else None

    def speaker() -> SMTP:
        kept.connections += 1
        # It warns of a login without TLS, as it does not see the TLS that is there from the start.
        with warnings.catch_warnings(action="ignore"):
            return SMTP(
                kept,
                hostname="mail.test",
                tls_context=context if tls == "starttls" else None,
                require_starttls=tls == "starttls",
                authenticator=kept.authenticate if login else None,
                auth_required=login,
                auth_require_tls=not login,
                loop=loop,
            )

    loop = asyncio.new_event_loop()
    serving = loop.run_until_complete(
        loop.create_server(speaker, "127.0.0.1", 0, ssl=context if tls == "smtps" else None)
    )
    kept.port = serving.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield kept
    finally:
        asyncio.run_coroutine_threadsafe(_end(serving), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    for one in kept.kept:
        expect_none(one.body, "a mail")


async def _end(serving: asyncio.Server) -> None:
    serving.close()
    others = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
    for one in others:
        one.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)


@contextmanager
def breaking(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that talks as told with each caller, then closes."""
    listening = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            line, _ = listening.accept()
            with line:
                try:
                    if not ended.is_set():
                        talk(line)
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        ended.set()
        socket.create_connection(listening.getsockname()).close()
        thread.join()
        listening.close()
