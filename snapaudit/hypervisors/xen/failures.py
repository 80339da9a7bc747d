"""XAPI's error codes as our errors, with what to do. Source: the error list of the xen-api docs."""

from __future__ import annotations

import http.client
import xmlrpc.client
from collections.abc import Sequence
from xml.parsers.expat import ExpatError

from snapaudit.errors import AccessDenied, Gone, HypervisorError, Unreachable
from snapaudit.trust import WrongCertificate

HANDLE_INVALID, UUID_INVALID = "HANDLE_INVALID", "UUID_INVALID"
SESSION_INVALID, HOST_IS_SLAVE = "SESSION_INVALID", "HOST_IS_SLAVE"
METHOD_UNKNOWN, RBAC_DENIED = "MESSAGE_METHOD_UNKNOWN", "RBAC_PERMISSION_DENIED"
_GONE = frozenset({HANDLE_INVALID, UUID_INVALID})
_DENIED = frozenset({RBAC_DENIED, "SESSION_AUTHENTICATION_FAILED", "USER_IS_NOT_LOCAL_SUPERUSER"})
_LONGEST = 300
UNTOLD = "INTERNAL_ERROR"
"""The server failed in itself: nobody knows how far it had come."""

_MEANINGS = {
    HANDLE_INVALID: "it is gone",
    UUID_INVALID: "it is gone",
    "SESSION_AUTHENTICATION_FAILED": "user name or password is refused",
    SESSION_INVALID: "the session ended; the server was started anew, or somebody logged it out",
    RBAC_DENIED: "the account may not do that",
    "USER_IS_NOT_LOCAL_SUPERUSER": "the account may not do that",
    "OPERATION_NOT_ALLOWED": "it is busy or the server does not allow it now: try again later",
    "OTHER_OPERATION_IN_PROGRESS": "something else goes on with it: try again later",
    "VDI_IN_USE": "the disk is in use: try again later",
    "OPERATION_BLOCKED": "somebody blocked this operation: it is protected",
    "VM_IS_TEMPLATE": "it is a template: it is protected",
    "SR_BACKEND_FAILURE_44": "there is no space left on the storage repository",
    "SR_BACKEND_FAILURE_46": "the disk is not available on its storage repository",
    "SR_BACKEND_FAILURE_80": "the storage repository could not mark an image as hidden",
    "SR_BACKEND_FAILURE_109": "the chain of images is too long",
    "SR_NOT_ATTACHED": "the storage repository is offline on that host",
    "SR_HAS_NO_PBDS": "the storage repository is attached to no host",
    METHOD_UNKNOWN: "this server is too old for that call",
    "HOST_STILL_BOOTING": "the coordinator is still starting: try again in a few minutes",
    "HOST_OFFLINE": "the host is offline",
    "TOO_MANY_PENDING_TASKS": "the server has too much to do: try again later",
}
_CHANGING = frozenset({HOST_IS_SLAVE, "HOST_STILL_BOOTING", "HOST_HAS_NO_MANAGEMENT_IP"})

NETWORK = (OSError, http.client.HTTPException)
# The standard library's reader of XML-RPC checks no order of elements, and trusts every number.
_GARBLED = (
    *(xmlrpc.client.Error, ExpatError, ValueError, LookupError, TypeError, AttributeError),
    *(ArithmeticError, RecursionError),
)


class Said(HypervisorError):
    """What the server said instead of a result: a stable code, and texts about it."""

    def __init__(self, code: str, texts: Sequence[str], where: str) -> None:
        self.code, self.texts = code, tuple(texts)
        super().__init__(f"{where}: {explained(code, self.texts)}")


class SaidGone(Said, Gone):
    """The object is not there."""


class SaidDenied(Said, AccessDenied):
    """The account may not."""


class SaidUnreachable(Said, Unreachable):
    """Nobody is there who could answer for the pool just now."""


def said(details: Sequence[object], where: str) -> Said:
    """The error for an ``ErrorDescription``, by its code."""
    code, *texts = [" ".join(str(each).split())[:_LONGEST] for each in details] or [UNTOLD]
    if code in _GONE:
        return SaidGone(code, texts, where)
    if code in _DENIED:
        return SaidDenied(code, texts, where)
    if code in _CHANGING or code == SESSION_INVALID:
        return SaidUnreachable(code, texts, where)
    return Said(code, texts, where)


def explained(code: str, texts: Sequence[str]) -> str:
    """What a code means, with the server's own words."""
    if code == HOST_IS_SLAVE:
        named = f", which it says is {texts[0]}" if texts else ""
        return f"this host is a member of its pool and not the coordinator{named} ({code})"
    if code == RBAC_DENIED and texts:
        return f"the account may not call {texts[0]}: give it a role that may ({code})"
    own = "; ".join(text for text in texts if text and not text.startswith("OpaqueRef:"))
    meaning = _MEANINGS.get(code)
    if meaning is None:
        return f"{code}: {own}" if own else code
    return f"{meaning} ({code}: {own})" if own else f"{meaning} ({code})"


def lost(error: Exception, where: str) -> HypervisorError:
    """The error for a connection that could not be made, or that broke."""
    if isinstance(error, WrongCertificate):
        return WrongCertificate(f"{where}: {error}")
    if isinstance(error, TimeoutError):
        return Unreachable(f"{where}: no answer in time; is the host up, and its toolstack?")
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(f"{where}: nothing listens there: check address and port, and the host")
    if isinstance(error, http.client.HTTPException):
        return Unreachable(f"{where}: the answer was cut off ({type(error).__name__})")
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Unreachable(f"{where}: {reason}")


def garbled(error: Exception, where: str) -> Unreachable:
    """The error for an answer that is none of this protocol's."""
    return Unreachable(f"{where}: answers, but not as a XAPI does ({type(error).__name__})")


def as_ours(error: Exception, where: str) -> HypervisorError:
    """Any failure of a call as one of our errors."""
    if isinstance(error, HypervisorError) and not isinstance(error, WrongCertificate):
        return error
    if isinstance(error, WrongCertificate | OSError | http.client.HTTPException):
        return lost(error, where)
    return garbled(error, where)


ANYTHING = (WrongCertificate, *NETWORK, *_GARBLED)
