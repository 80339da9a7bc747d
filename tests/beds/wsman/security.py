"""Who asks, on one connection: basic, a client certificate, or NTLM, which also seals messages.

NTLM comes from pyspnego as the accepting side, which reads its accounts from a file that
NTLM_USER_FILE names. Source of the sealed form: MS-WSMV 2.2.9.1.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from typing import Any

import spnego
from spnego.exceptions import SpnegoError

SEALED = "application/HTTP-SPNEGO-session-encrypted"
_MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_BOUNDARY = b"--Encrypted Boundary"
_SOAP = "application/soap+xml;charset=UTF-8"
_PART = b"\tContent-Type: application/octet-stream\r\n"


class Login:
    """The state of one connection."""

    def __init__(self, accounts: Mapping[str, str], *, is_tls: bool, offers: str) -> None:
        self._accounts, self._is_tls, self._offers = accounts, is_tls, offers
        self._context: Any = None
        self.is_in = False

    @property
    def challenge(self) -> list[str]:
        """What a client without a login is told."""
        return [self._offers]

    def step(self, header: str, *, has_certificate: bool) -> str | None:
        """Take one Authorization header; what to answer besides, if anything."""
        scheme, _, token = header.partition(" ")
        if header == _MUTUAL:
            self.is_in = self._is_tls and has_certificate
        elif scheme == "Basic":
            name, _, password = base64.b64decode(token).decode().partition(":")
            self.is_in = "Basic" in self._offers and self._accounts.get(name) == password
        elif scheme in ("NTLM", "Negotiate"):
            return self._negotiate(scheme, base64.b64decode(token))
        return None

    def _negotiate(self, scheme: str, token: bytes) -> str | None:
        if self._context is None or self.is_in:
            self.is_in = False
            kind = "ntlm" if token.startswith(b"NTLMSSP") else "negotiate"
            self._context = spnego.server(protocol=kind)
        try:
            reply = self._context.step(token)
        except SpnegoError:
            self._context = None
            return None
        self.is_in = bool(self._context.complete)
        return f"{scheme} {base64.b64encode(reply).decode()}" if reply else None

    def opened(self, data: bytes, content_type: str) -> bytes:
        """A message as it was before it was sealed; ValueError where that is not possible.

        Without TLS a message that is not sealed is refused, as Windows does by default.
        """
        if "encrypted" not in content_type:
            if not self._is_tls and data:
                raise ValueError("the message is not sealed")
            return data
        return b"".join(self._unsealed(part) for part in _parts(data))

    def _unsealed(self, part: bytes) -> bytes:
        size = struct.unpack("<i", part[:4])[0]
        header, sealed = part[4 : 4 + size], part[4 + size :]
        try:
            return bytes(self._context.unwrap_winrm(header, sealed))
        except SpnegoError as error:
            raise ValueError(f"the seal is broken: {error}") from error

    def closed(self, data: bytes, content_type: str) -> tuple[bytes, str]:
        """An answer, sealed where the question was, with its content type."""
        if "encrypted" not in content_type:
            return data, _SOAP
        header, sealed, _ = self._context.wrap_winrm(data)
        body = (
            _BOUNDARY + b"\r\n\tContent-Type: " + SEALED.encode() + b"\r\n\tOriginalContent: type="
            + _SOAP.encode() + b";Length=" + str(len(data)).encode() + b"\r\n" + _BOUNDARY + b"\r\n"
            + _PART + struct.pack("<i", len(header)) + header + sealed + _BOUNDARY + b"--\r\n"
        )  # fmt: skip
        return body, f'multipart/encrypted;protocol="{SEALED}";boundary="Encrypted Boundary"'


def _parts(data: bytes) -> list[bytes]:
    """The sealed pieces: every second part, without its own header and the boundary at the end."""
    parts = [part for part in data.split(_BOUNDARY + b"\r\n") if part]
    return [part.removesuffix(_BOUNDARY + b"--\r\n").removeprefix(_PART) for part in parts[1::2]]
