"""What a host offers to whoever has not logged in: whether WinRM is there, and how to log in."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterable

from snapaudit.hypervisors.hyperv.address import Address
from snapaudit.hypervisors.hyperv.failures import STATUSES
from snapaudit.hypervisors.hyperv.transport import Auth
from snapaudit.model.examination import Probe, ProbeState

PATIENCE = 10.0
"""Seconds for the answer."""

# Negotiate is Kerberos or NTLM, whichever both sides can; which of them stays open until a login.
_OFFERED_AS = {
    Auth.KERBEROS: ("kerberos", "negotiate"),
    Auth.NTLM: ("negotiate", "ntlm"),
    Auth.BASIC: ("basic",),
    Auth.CREDSSP: ("credssp",),
}
_SWITCH = {Auth.NTLM: "Negotiate", Auth.KERBEROS: "Kerberos", Auth.BASIC: "Basic"}


def listener(address: Address, auth: Auth) -> Probe:
    """Ask without a login, and see which logins are offered. Nothing secret is sent."""
    try:
        status, offers = _asked(address)
    except (OSError, http.client.HTTPException) as error:
        return _failed(
            f"no answer of HTTP comes: {getattr(error, 'strerror', None) or type(error).__name__}",
            "winrm enumerate winrm/config/listener on the host tells what listens, and where",
        )
    if status != 401:
        hint = STATUSES.get(status, "that is no answer of WinRM: check the URL")
        said, _, repair = hint.partition(": ")
        return _failed(f"HTTP status {status}: {said}", repair or None)
    return _offered(auth, offers)


def _asked(address: Address) -> tuple[int, list[str]]:
    line = _line(address)
    try:
        line.request("POST", address.path, b"", {"Content-Type": "application/soap+xml"})
        answer = line.getresponse()
        return answer.status, answer.headers.get_all("WWW-Authenticate") or []
    finally:
        line.close()


def _line(address: Address) -> http.client.HTTPConnection:
    if not address.is_tls:
        return http.client.HTTPConnection(address.host, address.port, timeout=PATIENCE)
    # Whether the certificate is believed is a probe of its own.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(
        address.host, address.port, timeout=PATIENCE, context=context
    )


def _offered(auth: Auth, offers: Iterable[str]) -> Probe:
    words = sorted({one.split()[0] for line in offers for one in line.split(",") if one.strip()})
    told = ", ".join(words)[:200] or "none"
    wanted = _OFFERED_AS.get(auth)
    if wanted is None or {word.lower() for word in words} & set(wanted):
        said = f"WinRM listens and offers the logins {told}; {auth} is used"
        return Probe(name="listener", state=ProbeState.OK, sentence=said)
    repair = "name another under transport:"
    if auth in _SWITCH:
        switch = f'winrm set winrm/config/service/auth @{{{_SWITCH[auth]}="true"}}'
        repair = f"{switch} on the host, or {repair}"
    return _failed(f"WinRM listens, but {auth} is none of the logins it offers: {told}", repair)


def _failed(said: str, repair: str | None) -> Probe:
    return Probe(name="listener", state=ProbeState.FAILED, sentence=said, repair=repair)
