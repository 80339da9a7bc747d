"""How an endpoint is reached, and a runner for it. The client libraries are loaded here, late.

What would hand a password to a stranger is refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from snapaudit.errors import MissingSdk, UsageError
from snapaudit.hypervisors.hyperv.address import Address, parse_address
from snapaudit.hypervisors.hyperv.runner import Runner
from snapaudit.model.endpoint import Account, Endpoint, Tls
from snapaudit.trust import Trust, trust

OPTIONS = {
    "session": "winrs (a process, for administrators), powershell (a session), or jea (ready-made)",
    "configuration": "name of the session configuration on the host, for powershell and jea",
    "certificate": "PEM file of our own certificate, by its full path, for transport certificate",
    "certificate_key": "PEM file of that certificate's key, by its full path",
    "proxy": "URL of an HTTP proxy; the environment's proxies are never used",
}
"""Endpoint options of the way to a host."""

STANDARD_CONFIGURATION = "Microsoft.PowerShell"
_SHARE = 0.85  # of the endpoint's deadline; the rest is for tidying up and translating
_MISSING = {
    "winrm": "Hyper-V needs the pywinrm package: pipx install 'snapaudit[hyperv]'",
    "pypsrp": "session: {kind} needs the pypsrp package: pipx inject snapaudit pypsrp",
}


class Auth(StrEnum):
    """Who we are, by which proof: the word after ``transport:``."""

    KERBEROS = "kerberos"
    NTLM = "ntlm"
    CERTIFICATE = "certificate"
    BASIC = "basic"
    CREDSSP = "credssp"


class Session(StrEnum):
    """What runs a script on the host."""

    WINRS = "winrs"
    POWERSHELL = "powershell"
    JEA = "jea"


_UNSEALED = frozenset({Auth.BASIC, Auth.CERTIFICATE})
_WITH_PASSWORD = frozenset({Auth.NTLM, Auth.BASIC, Auth.CREDSSP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """One host and the way to it. ``seconds`` is what one script may take, all in all."""

    endpoint: str
    address: Address
    auth: Auth
    session: Session
    configuration: str
    username: str | None
    password: str | None = field(repr=False)
    trust: Trust | None
    certificate: tuple[str, str] | None
    proxy: str | None
    seconds: float

    @property
    def where(self) -> str:
        """The host as messages name it."""
        return f"{self.endpoint}: {self.address}"

    @property
    def is_verified(self) -> bool:
        """Whether the other side proves who it is, and nobody on the way reads along.

        On http only Kerberos does: what NTLM seals is safe from readers, and yet any host that can
        check the account could be on the other side.
        """
        if self.trust is not None:
            return self.trust.is_verified
        return self.auth is Auth.KERBEROS


def wire(endpoint: Endpoint, account: Account, password: str | None) -> Wire:
    """From the endpoint's settings. UsageError for what cannot be, or must not be, tried."""
    address = parse_address(endpoint.url)
    auth = _chosen(endpoint, "transport", endpoint.transport or Auth.NTLM, Auth)
    session = _chosen(endpoint, "session", endpoint.options.get("session", Session.WINRS), Session)
    pair = _client_certificate(endpoint, auth)
    _refuse(endpoint, address, auth, account, password)
    return Wire(
        endpoint=endpoint.name,
        address=address,
        auth=auth,
        session=session,
        configuration=_configuration(endpoint, session),
        username=account.username,
        password=password,
        trust=trust(endpoint.tls, pair) if address.is_tls else None,
        certificate=pair,
        proxy=_proxy(endpoint),
        seconds=endpoint.deadline.total_seconds() * _SHARE,
    )


def runner(
    endpoint: Endpoint, account: Account, password: str | None, node: str | None = None
) -> Runner:
    """What runs scripts on the endpoint's host, or with the same login on another node of it.

    Nothing is sent yet. Raises UsageError; MissingSdk; HypervisorError for a node's name that leads
    out of the endpoint's domain.
    """
    way = wire(endpoint, account, password)
    if node is not None:
        way = replace(way, address=way.address.of_node(node))
    return _winrm(way) if way.session is Session.WINRS else _psrp(way)


def _winrm(way: Wire) -> Runner:
    try:
        from snapaudit.hypervisors.hyperv.attempt import WireRunner
        from snapaudit.hypervisors.hyperv.winrm import WinrmCall
    except ImportError as error:
        raise MissingSdk(f"{way.endpoint}: {_MISSING['winrm']}") from error
    return WireRunner(way, WinrmCall)


def _psrp(way: Wire) -> Runner:
    try:
        from snapaudit.hypervisors.hyperv.attempt import WireRunner
        from snapaudit.hypervisors.hyperv.psrp import PsrpCall
    except ImportError as error:
        missing = _MISSING["pypsrp"].format(kind=way.session)
        raise MissingSdk(f"{way.endpoint}: {missing}") from error
    return WireRunner(way, PsrpCall)


Choice = TypeVar("Choice", bound=StrEnum)


def _chosen(endpoint: Endpoint, option: str, word: object, kinds: type[Choice]) -> Choice:
    try:
        return kinds(str(word))
    except ValueError:
        known = ", ".join(kinds)
        raise UsageError(
            f"endpoint {endpoint.name}: {option}: {word!r} is none of {known}"
        ) from None


def _refuse(
    endpoint: Endpoint, address: Address, auth: Auth, account: Account, password: str | None
) -> None:
    reasons: tuple[tuple[bool, Callable[[], str]], ...] = (
        (
            auth in _UNSEALED and not address.is_tls,
            lambda: f"{auth} over http would be read by everybody on the way: use an https URL",
        ),
        (
            auth is Auth.BASIC and not endpoint.tls.verify,
            lambda: "basic hands the password to whoever answers: verify: false is refused with it",
        ),
        (
            endpoint.tls != Tls() and not address.is_tls,
            lambda: "tls: settings are for https; the URL says http",
        ),
        (
            auth is Auth.KERBEROS and not address.is_name,
            lambda: "kerberos knows hosts by name: write the host's name in the URL",
        ),
        (
            auth in _WITH_PASSWORD and not (account.username and password),
            lambda: f"{auth} needs a username and a password",
        ),
    )
    for holds, reason in reasons:
        if holds:
            raise UsageError(f"endpoint {endpoint.name}: {reason()}")


def _client_certificate(endpoint: Endpoint, auth: Auth) -> tuple[str, str] | None:
    named = [str(endpoint.options.get(key, "")) for key in ("certificate", "certificate_key")]
    if auth is not Auth.CERTIFICATE:
        if any(named):
            raise UsageError(
                f"endpoint {endpoint.name}: certificate: is for transport: certificate"
            )
        return None
    for path in named:
        if not Path(path).is_absolute():
            raise UsageError(
                f"endpoint {endpoint.name}: transport certificate needs certificate: and "
                "certificate_key:, each the full path of a PEM file"
            )
    return named[0], named[1]


def _configuration(endpoint: Endpoint, session: Session) -> str:
    named = str(endpoint.options.get("configuration", ""))
    if session is Session.JEA and not named:
        raise UsageError(
            f"endpoint {endpoint.name}: session jea needs configuration:, the name under which the "
            "endpoint was registered on the host"
        )
    if session is Session.WINRS and named:
        raise UsageError(
            f"endpoint {endpoint.name}: configuration: is for session powershell or jea"
        )
    return named or STANDARD_CONFIGURATION


def _proxy(endpoint: Endpoint) -> str | None:
    named = str(endpoint.options.get("proxy", ""))
    if not named:
        return None
    try:
        parts = urlsplit(named)
        is_usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or "@" in named:
        raise UsageError(
            f"endpoint {endpoint.name}: proxy: write it like http://proxy.example.org:3128, "
            "without an account"
        )
    return named
