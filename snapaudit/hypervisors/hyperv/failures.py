"""What goes wrong on the way to a host, as our errors: host, step, reason and repair in one line.

Both client libraries use the same names for their errors, and let others' through: those of
requests, and whatever an answer that is none provokes in them. So errors are told apart by name.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from enum import StrEnum
from xml.sax.saxutils import unescape

from snapaudit.errors import AccessDenied, HypervisorError, MissingSdk, Unreachable
from snapaudit.trust import verdict


class Step(StrEnum):
    """What was being done, in the order in which it is done."""

    OPENING = "opening a shell"
    STARTING = "starting PowerShell"
    SENDING = "sending the script"
    READING = "reading the answer"
    TIDYING = "closing the shell"


OPERATION_TIMED_OUT = 2150858793
_QUOTA, _SHELL_GONE, _SCHEMA = 2150859173, 2150858843, 2150858817
_ACCESS_DENIED = frozenset({5, 2147942405})

_QUOTA_HINT = (
    "the account has too many shells open there: wait until they end, or raise "
    "MaxShellsPerUser (winrm set winrm/config/winrs)"
)
_FAULTS = {
    OPERATION_TIMED_OUT: "the host did not get to it in time: try again when it is less busy",
    _QUOTA: _QUOTA_HINT,
    _SHELL_GONE: "the host ended the shell: by a limit on its idle time or memory, or by a restart",
    _SCHEMA: "the host does not accept the message: WinRM 2.0 or later (Windows 2012) is needed",
}
STATUSES = {
    403: "the account or this machine may not use WinRM there (or a proxy in between forbids it)",
    404: "no WinRM listens under that path: check the URL",
    407: "the proxy wants a login, which is not supported",
    413: "the message is too large for the host: raise its MaxEnvelopeSizekb",
    503: "HTTP answers there, and WinRM does not run: Start-Service WinRM on the host",
}
_LOGIN = (
    "the login was refused: check the account's name and password, whether this kind of login is "
    "enabled there (winrm get winrm/config/service/auth), and that the account may use WinRM"
)
_LISTENER = (
    "nothing listens there: enable WinRM on the host (winrm quickconfig, with -transport:https for "
    "5986), or check host, port and firewall"
)
_DENIED = (
    "the account may not open a shell: that takes an administrator, or session: powershell or jea"
)
_SILENCE = "no answer came in time: check host and firewall, and whether the host hangs"
_OTHER_PIN = (
    "the host's certificate is not the pinned one: if it was renewed, renew tls: fingerprint; if "
    "not, somebody else answers there"
)

# What PowerShell's own complaint contains, and what it means.
_COMPLAINTS = (
    ("language mode", "PowerShell runs in constrained language there: exempt the account, or use "
     "session: jea"),
    ("command line is too long", "the host cuts commands short"),
    ("is not recognized as an internal", "PowerShell is not where programs are looked for there"),
    ("outofmemory", "it ran out of memory: raise MaxMemoryPerShellMB (winrm/config/winrs)"),
)  # fmt: skip
_CLIXML_ERROR = re.compile(r'<S S="Error">(.*?)</S>', re.DOTALL)
_CLIXML_ESCAPE = re.compile(r"_x([0-9A-F]{4})_")
_LONGEST = 300


def as_ours(error: Exception, where: str, step: Step) -> HypervisorError:
    """Any error of a client library as one of ours. One of ours is returned as it is."""
    if isinstance(error, HypervisorError):
        return error
    kind, reason = _explained(error)
    return kind(f"{where}: {step}: {reason}")


def too_late(where: str, step: Step, seconds: float) -> Unreachable:
    """The deadline was over before the answer was."""
    return Unreachable(f"{where}: {step}: no complete answer within {seconds:g} s")


def of_process(where: str, code: int, complaint: str) -> HypervisorError:
    """PowerShell ended with that code, and wrote that on its error stream."""
    said = plain(complaint)
    hint = next((hint for words, hint in _COMPLAINTS if words in said.lower()), None)
    if hint:
        return HypervisorError(f"{where}: {hint}")
    ended = "without a code" if code == -1 else f"with {code}"
    return HypervisorError(f"{where}: the script ended {ended}: {said or 'no reason was told'}")


def plain(complaint: str) -> str:
    """An error stream as one line of text, also where PowerShell wrote it as CLIXML."""
    if complaint.startswith("#< CLIXML"):
        parts = (unescape(part) for part in _CLIXML_ERROR.findall(complaint))
        complaint = "".join(_CLIXML_ESCAPE.sub(_letter, part) for part in parts)
    text = " ".join(complaint.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _letter(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


Explained = tuple[type[HypervisorError], str]


def _explained(error: Exception) -> Explained:
    names = {kind.__name__ for kind in type(error).__mro__}
    if "WSManFaultError" in names:
        return _fault(error)
    if "WinRMTransportError" in names:
        return _status(int(getattr(error, "code", 0)))
    if "WinRMOperationTimeoutError" in names:
        return Unreachable, _FAULTS[OPERATION_TIMED_OUT]
    if names & {"AuthenticationError", "BasicAuthDisabledError"}:
        return AccessDenied, _LOGIN
    if "TooLarge" in names:
        return HypervisorError, "the answer is larger than any that was asked for"
    text = str(error)
    if "is not installed" in text:
        return MissingSdk, f"{text}: pipx inject snapaudit 'pywinrm[kerberos,credssp]'"
    if isinstance(error, PermissionError) or names & {"SpnegoError", "GSSError"}:
        return AccessDenied, _security(error)
    return _network(error, names)


def _fault(error: Exception) -> Explained:
    number = getattr(error, "wsman_fault_code", None)
    if number is None and type(error).__module__.startswith("pypsrp"):
        number = getattr(error, "code", None)
    told = " ".join(str(getattr(error, "reason", "") or "").split())[:_LONGEST]
    if number in _ACCESS_DENIED:
        return AccessDenied, _DENIED
    if number in _FAULTS:
        return HypervisorError, _FAULTS[number]
    if "quota" in told.lower():
        return HypervisorError, _QUOTA_HINT
    code = f" (fault {number})" if number is not None else ""
    return HypervisorError, f"the host refused: {told or 'no reason was told'}{code}"


def _status(status: int) -> Explained:
    if status == 401:
        return AccessDenied, _LOGIN
    hint = STATUSES.get(status, "that is no answer of WinRM: check the URL")
    kind = AccessDenied if status == 403 else Unreachable
    return kind, f"HTTP status {status}: {hint}"


def _security(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "the host does not offer NTLM: use kerberos, or have it enabled there"
    told = " ".join(str(error).split())[:_LONGEST]
    return f"the security layer gave up: {told}"


def _network(error: Exception, names: set[str]) -> Explained:
    for cause in _causes(error):
        found = _cause(cause)
        if found is not None:
            return Unreachable, found
    if "TooManyRedirects" in names:
        return Unreachable, "the host sends us elsewhere, and we do not follow: check the URL"
    if "ProxyError" in names:
        return Unreachable, "the proxy does not let us through: check proxy:"
    if names & {"RequestException", "HTTPError", "OSError"}:
        return Unreachable, "the connection was lost"
    return HypervisorError, f"that is no answer of WinRM ({type(error).__name__}): check the URL"


def _cause(cause: BaseException) -> str | None:
    """What lies at the bottom of a network error; None: nothing that is known."""
    match cause:
        case ssl.SSLError():
            return _encryption(cause)
        case socket.gaierror():
            return "the host name cannot be resolved: check it"
        case ConnectionRefusedError():
            return _LISTENER
        case TimeoutError():
            return _SILENCE
        case OSError() if cause.strerror:
            return f"the connection failed: {cause.strerror.lower()}"
    return _by_name(cause)


def _encryption(cause: ssl.SSLError) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the host's certificate is refused: {verdict(cause)}"
    told = (cause.reason or str(cause)).replace("_", " ").lower()
    return f"no encrypted connection: {told}"


def _by_name(cause: BaseException) -> str | None:
    if "Fingerprints did not match" in str(cause):
        return _OTHER_PIN
    names = {kind.__name__ for kind in type(cause).__mro__}
    is_late = names & {"ReadTimeoutError", "ConnectTimeoutError", "Timeout"}
    return _SILENCE if is_late else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that lies below it, the deepest first."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            below = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
            waiting.extend(below)
    return reversed(found)
