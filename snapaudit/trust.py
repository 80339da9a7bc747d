"""Encryption, and how the other side is recognised: an authority, or one pinned certificate.

Always with a context of our own, and looked at on every connection, before a byte of ours is sent
over it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPSConnection
from typing import Any

from snapaudit.errors import HypervisorError, UsageError
from snapaudit.model.endpoint import Tls

CONNECTING = 15.0
"""Seconds for name, port and handshake together; an answer may take longer."""

_PIN = re.compile(r"(?:sha256:)?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})", re.ASCII | re.IGNORECASE)
_UNKNOWN = (
    "its authority is not trusted here: name that authority's file as tls: ca_file, or pin the "
    "certificate with tls: fingerprint"
)
# OpenSSL's X509_V_ERR numbers, what they say of the other side, and the way out.
_VERDICTS = {
    9: "its date of issue lies in the future: compare the clocks of both sides",
    10: "it has expired: renew it, or have the server use the new one",
    18: "nobody signed it but itself: pin it with tls: fingerprint, or name it as tls: ca_file",
    19: _UNKNOWN,
    20: _UNKNOWN,
    21: _UNKNOWN,
    23: "it was revoked: its authority took it back",
    62: "it is for another host name: use the name that stands in it",
    64: "it is for another IP address: use the name that stands in it",
}


class WrongCertificate(HypervisorError):
    """Whoever answers did not prove to be the one that was meant. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What a certificate has to fulfil; ``pin`` is the SHA-256 of the only one accepted."""

    context: ssl.SSLContext
    pin: bytes | None
    is_verified: bool


def trust(tls: Tls, certificate: tuple[str, str] | None = None) -> Trust:
    """From the endpoint's settings; UsageError for a file or fingerprint that cannot be used.

    ``certificate`` is the pair of PEM files, certificate and key, that proves who we are.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        _load(lambda: context.load_cert_chain(*certificate), "certificate", certificate[0])
    if tls.fingerprint is None and tls.verify:
        _load_authorities(context, tls.ca_file)
        return Trust(context, None, is_verified=True)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    pin = _pin(tls.fingerprint) if tls.fingerprint is not None else None
    return Trust(context, pin, is_verified=pin is not None)


def verdict(error: ssl.SSLCertVerificationError) -> str:
    """Why a certificate is refused, and what to do."""
    number = getattr(error, "verify_code", 0)
    return _VERDICTS.get(number) or getattr(error, "verify_message", "") or "it cannot be verified"


def _pin(fingerprint: str) -> bytes:
    found = _PIN.fullmatch(fingerprint.strip())
    if found is None:
        raise UsageError("tls: fingerprint: sha256: and 64 hexadecimal digits are expected")
    return bytes.fromhex(found[1].replace(":", ""))


def _load_authorities(context: ssl.SSLContext, ca_file: str | None) -> None:
    if ca_file is None:
        context.load_default_certs()
    else:
        _load(lambda: context.load_verify_locations(cafile=ca_file), "ca_file", ca_file)


def _load(work: Callable[[], None], option: str, path: str) -> None:
    try:
        work()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"tls: {option}: {path}: it cannot be read: {reason}") from error


def compare(line: ssl.SSLSocket, pin: bytes | None, host: str) -> None:
    """Close the connection and raise WrongCertificate when not the pinned certificate is shown."""
    if pin is None:
        return
    shown = hashlib.sha256(line.getpeercert(binary_form=True) or b"").digest()
    if not hmac.compare_digest(shown, pin):
        line.close()
        raise WrongCertificate(
            f"{host}: the certificate is not the pinned one (its fingerprint is sha256:"
            f"{shown.hex()}): if it was renewed, renew tls: fingerprint; if not, somebody else "
            "answers there"
        )


class Connection(HTTPSConnection):
    """One HTTPS connection, checked whenever it is made.

    ``seconds`` is its patience for each piece of an answer.
    """

    def __init__(self, host: str, port: int, *, trust: Trust, seconds: float) -> None:
        super().__init__(host, port, timeout=min(seconds, CONNECTING), context=trust.context)
        self._pin, self._seconds = trust.pin, seconds

    def connect(self) -> None:
        """Raises WrongCertificate, and nothing has been sent then."""
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            message = f"{self.host}: the certificate is refused: {verdict(error)}"
            raise WrongCertificate(message) from error
        sock: Any = self.sock
        compare(sock, self._pin, self.host)
        self.sock.settimeout(self._seconds)
