"""What any server may say that we connect to: its certificate, and the answers of a mail server."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from contextlib import closing
from unittest.mock import patch

from snapaudit.app.certificate import not_after
from snapaudit.config.settings import Mail
from snapaudit.mail.sending import Post
from snapaudit.mail.session import Patience
from tests.canaries import SMTP
from tests.fuzz.target import Target
from tests.mail.letters import outgoing

_MAIL = Mail(
    smtp="smtp://mail.example.org:25",
    sender="snapaudit@example.org",
    to=("team@example.org",),
    username="me",
    starttls=False,
)
_PATIENCE = Patience(answer_seconds=1, whole_seconds=20)
_TALK = (
    b"220 mail.example.org ESMTP\r\n250-mail.example.org\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n%b"
    b"250 2.1.0 sender ok\r\n250 2.1.5 ok\r\n550 5.1.1 no such user\r\n354 go on\r\n"
    b"250 2.0.0 queued\r\n221 bye\r\n"
)
# Made by openssl: Ed25519, for the name x.
_CERTIFICATE = (
    b"MIIBLDCB36ADAgECAhR1Ml7W9nTQPNraHAhDFoI6zF0VizAFBgMrZXAwDDEKMAgGA1UEAwwBeDAeFw0yNjEx"
    b"MjkwNTQ3MDJaFw0zNzExMTEwNTQ3MDJaMAwxCjAIBgNVBAMMAXgwKjAFBgMrZXADIQC+7gnZsNJ/pbd1X0GP"
    b"tEllQj+NO7btZ7FKm4XQvTGh7qNTMFEwHQYDVR0OBBYEFEx6yXi9b5o3sNPFdO48awY14Qt6MB8GA1UdIwQY"
    b"MBaAFEx6yXi9b5o3sNPFdO48awY14Qt6MA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EADLihfzw7X77YHEM8"
    b"L5T4QYwiD66vT2V/sRMx3fYC8EWfp5zBSdfjIIpAFxtzPtISHTfckSQPdLRp9BTKZTuBCg=="
)
_LOGINS = (
    b"250 AUTH PLAIN LOGIN\r\n235 2.7.0 welcome\r\n",
    b"250 AUTH CRAM-MD5\r\n334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2U+\r\n235 2.7.0 welcome\r\n",
    b"250 AUTH LOGIN\r\n334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 2.7.0 welcome\r\n",
)


def _mailed(data: bytes) -> None:
    """A letter handed over to a server that has said all it will ever say. Never raises."""
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs), patch("socket.create_connection", return_value=ours):
        ours.settimeout(1)
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        with closing(Post(_MAIL, SMTP, _PATIENCE)) as sending:
            sending.deliver(outgoing("a@example.org", "b@example.org"), lambda _: None)


def _conversations() -> Iterator[bytes]:
    for login in _LOGINS:
        yield _TALK % login


def _certificates() -> Iterator[bytes]:
    yield base64.b64decode(_CERTIFICATE)
    yield b"0\x1e0\x1c\xa0\x03\x02\x01\x020\x002\x0030\x1e\x17\r250101000000Z\x17\r260101000000Z"


TARGETS = (
    Target(
        name="certificate",
        group="network",
        run=not_after,
        examples=_certificates,
        expected=(),
    ),
    Target(
        name="mail-server",
        group="network",
        run=_mailed,
        examples=_conversations,
        expected=(),
        largest=16 * 1024,
    ),
)
