"""Encryption, and how the other side is recognised: an authority, or one pinned certificate.

The pinned certificate is compared on every connection before a byte of ours is sent over it.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
from dataclasses import dataclass
from http.client import HTTPSConnection
from typing import Any

from snapaudit.errors import HypervisorError, UsageError
from snapaudit.model.endpoint import Tls

CONNECTING = 15.0
"""Seconds for name, port and handshake; an answer may take longer."""

_SCHEME = "sha256:"
_DIGITS = 64
_REPAIR = (
    "a pool signs its own certificate: pin it with tls: fingerprint, or name the authority that "
    "signed it as tls: ca_file"
)


class WrongCertificate(HypervisorError):
    """Whoever answers did not prove to be the one that was meant. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What a certificate has to fulfil; ``pin`` is the SHA-256 of the only one accepted."""

    context: ssl.SSLContext
    pin: bytes | None
    is_verified: bool


def trust(tls: Tls) -> Trust:
    """From the endpoint's settings. Raises UsageError for what cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.fingerprint is None and tls.verify:
        _load_authorities(context, tls.ca_file)
        return Trust(context, None, is_verified=True)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    pin = _pin(tls.fingerprint) if tls.fingerprint is not None else None
    return Trust(context, pin, is_verified=pin is not None)


def _pin(fingerprint: str) -> bytes:
    digits = fingerprint.strip().lower().removeprefix(_SCHEME).replace(":", "")
    try:
        pin = bytes.fromhex(digits)
    except ValueError:
        pin = b""
    if len(digits) != _DIGITS or not pin:
        raise UsageError(f"tls: fingerprint: expected {_SCHEME} and {_DIGITS} hexadecimal digits")
    return pin


def _load_authorities(context: ssl.SSLContext, ca_file: str | None) -> None:
    if ca_file is None:
        return context.load_default_certs()
    try:
        return context.load_verify_locations(cafile=ca_file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"tls: ca_file: {ca_file} cannot be used: {reason}") from error


class Connection(HTTPSConnection):
    """One HTTPS connection, checked when it is made. ``seconds`` is its patience for answers."""

    def __init__(self, host: str, port: int, trust: Trust, seconds: float) -> None:
        super().__init__(host, port, timeout=min(seconds, CONNECTING), context=trust.context)
        self._pin, self._seconds = trust.pin, seconds

    def connect(self) -> None:
        """Raises WrongCertificate before anything was sent."""
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message or "it cannot be verified"
            raise WrongCertificate(f"the certificate is refused: {reason}; {_REPAIR}") from error
        self._compare()
        self.sock.settimeout(self._seconds)

    def _compare(self) -> None:
        if self._pin is None:
            return
        sock: Any = self.sock
        shown = hashlib.sha256(sock.getpeercert(binary_form=True) or b"").digest()
        if not hmac.compare_digest(shown, self._pin):
            self.close()
            raise WrongCertificate(
                f"the certificate is not the pinned one but {_SCHEME}{shown.hex()}: if it was "
                "renewed, renew tls: fingerprint; if not, somebody else answers there"
            )
