"""Encryption, and how the other side is recognised: always with a context of our own.

A fingerprint is compared on every connection, before a single byte of ours is sent over it.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
from dataclasses import dataclass
from http.client import HTTPSConnection
from typing import Any

from snapaudit.errors import HypervisorError, UsageError
from snapaudit.hypervisors.vsphere.address import Address
from snapaudit.model.endpoint import Tls

CONNECTING = 15.0
"""Seconds for name, port and handshake together; an answer may take longer."""

_SCHEME = "sha256:"

# OpenSSL's X509_V_ERR numbers, what they say here, and the way out.
_CHECKS = {
    9: "its date of issue lies in the future: check the clocks of both sides",
    10: "it has expired: have it renewed",
    18: "it is signed by itself: pin it with tls: fingerprint, or name it as tls: ca_file",
    19: "its authority is not trusted here: name that authority's file as tls: ca_file",
    20: "its authority is not trusted here: name that authority's file as tls: ca_file",
    21: "its authority is not trusted here: name that authority's file as tls: ca_file",
    23: "it was revoked",
    62: "it is for another host name: use the name that stands in it",
    64: "it is for another IP address: use the name that stands in it",
}


class WrongCertificate(HypervisorError):
    """The other side did not prove that it is the one that was meant."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What a certificate has to fulfil. ``pin`` is its SHA-256, where one was agreed on."""

    context: ssl.SSLContext
    pin: bytes | None
    is_verified: bool


def trust(tls: Tls) -> Trust:
    """From the endpoint's settings; UsageError when the authority's file cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.fingerprint or not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        pin = bytes.fromhex(_hex(tls.fingerprint)) if tls.fingerprint else None
        return Trust(context, pin, is_verified=pin is not None)
    _load_authorities(context, tls.ca_file)
    return Trust(context, None, is_verified=True)


def _hex(fingerprint: str) -> str:
    digits = fingerprint.lower().removeprefix(_SCHEME).replace(":", "")
    if len(digits) != hashlib.sha256().digest_size * 2 or not set(digits) <= set(
        "0123456789abcdef"
    ):
        raise UsageError(f"tls: fingerprint: expected {_SCHEME} and 64 hexadecimal digits")
    return digits


def _load_authorities(context: ssl.SSLContext, ca_file: str | None) -> None:
    if ca_file is None:
        context.load_default_certs()
        return
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"tls: ca_file: {ca_file}: no certificates can be read: {reason}"
        ) from error


class Connection(HTTPSConnection):
    """One HTTPS connection. Whenever it connects, the certificate is checked before it is used."""

    def __init__(self, host: str, port: int, *, trust: Trust, timeout: float) -> None:
        super().__init__(host, port, timeout=min(timeout, CONNECTING), context=trust.context)
        self._pin, self._answering = trust.pin, timeout

    def connect(self) -> None:
        """Raises WrongCertificate, and nothing has been sent then."""
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            raise WrongCertificate(_explained(error, self.host)) from error
        self._compare()
        self.sock.settimeout(self._answering)

    def _compare(self) -> None:
        if self._pin is None:
            return
        sock: Any = self.sock
        shown = hashlib.sha256(sock.getpeercert(binary_form=True) or b"").digest()
        if not hmac.compare_digest(shown, self._pin):
            self.close()
            raise WrongCertificate(
                f"{self.host}: the certificate is not the pinned one (its fingerprint is "
                f"{_SCHEME}{shown.hex()}): if it was renewed, renew tls: fingerprint; if not, "
                "somebody else answers there"
            )


def _explained(error: ssl.SSLCertVerificationError, host: str) -> str:
    number = getattr(error, "verify_code", 0)
    said = _CHECKS.get(number) or getattr(error, "verify_message", "") or "it cannot be verified"
    return f"{host}: the certificate is refused: {said}"


def connected(address: Address, trust: Trust, seconds: float) -> Connection:
    """A connection, not yet open, that waits so many seconds for each piece of an answer."""
    return Connection(address.host, address.port, trust=trust, timeout=seconds)
