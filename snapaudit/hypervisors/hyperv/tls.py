"""How a host is recognised over https, always with a context of our own; and our certificate."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from snapaudit.errors import UsageError
from snapaudit.model.endpoint import Tls

_PIN = re.compile(r"(?:sha256:)?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})", re.ASCII | re.IGNORECASE)

# OpenSSL's X509_V_ERR numbers: what they say of a host's certificate, and the way out.
_VERDICTS = {
    9: "it is not valid yet: compare the clocks of both sides",
    10: "it has expired: renew it on the host, or its WinRM listener names an old one",
    18: "nobody signed it but itself: pin it with tls: fingerprint, or give it as tls: ca_file",
    19: "its root is unknown here: name the authority's file as tls: ca_file",
    20: "its authority is unknown here: name the authority's file as tls: ca_file",
    21: "its authority is unknown here: name the authority's file as tls: ca_file",
    23: "its authority took it back",
    62: "it is for another host: use the name that stands in it",
    64: "it is for another address: use the name that stands in it",
}


@dataclass(frozen=True, slots=True)
class Trust:
    """What a certificate has to fulfil; ``pin`` is its SHA-256 in hexadecimal digits, if agreed."""

    context: ssl.SSLContext
    pin: str | None
    is_verified: bool


def trust(tls: Tls, certificate: tuple[str, str] | None = None) -> Trust:
    """From the endpoint's settings; UsageError for a file or fingerprint that cannot be used.

    ``certificate`` is the pair of PEM files that proves who we are.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        _load(lambda: context.load_cert_chain(*certificate), "certificate", certificate[0])
    if tls.fingerprint or not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        pin = _digits(tls.fingerprint) if tls.fingerprint else None
        return Trust(context, pin, is_verified=pin is not None)
    if tls.ca_file is None:
        context.load_default_certs()
    else:
        _load(lambda: context.load_verify_locations(cafile=tls.ca_file), "ca_file", tls.ca_file)
    return Trust(context, None, is_verified=True)


def verdict(error: ssl.SSLCertVerificationError) -> str:
    """Why a certificate is refused, and what to do."""
    number = getattr(error, "verify_code", 0)
    return _VERDICTS.get(number) or getattr(error, "verify_message", "") or "it cannot be verified"


def _digits(fingerprint: str) -> str:
    found = _PIN.fullmatch(fingerprint)
    if found is None:
        raise UsageError("tls: fingerprint: sha256: and 64 hexadecimal digits are expected")
    return found[1].replace(":", "").lower()


def _load(work: Callable[[], None], option: str, path: str) -> None:
    try:
        work()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{option}: {path}: it cannot be read: {reason}") from error
