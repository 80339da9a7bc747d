"""The server's faults and the network's failures as our errors, with what to do about them."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPException
from typing import Any

from snapaudit.errors import AccessDenied, CallRefused, Gone, HypervisorError, Unreachable
from snapaudit.hypervisors.vsphere.soap.fault import Cut, Malformed, SoapFault

NETWORK = (OSError, HTTPException)
"""What a connection raises when it is lost or was never there."""

EXPIRED = "NotAuthenticated"
_GONE = frozenset({"ManagedObjectNotFound", "NotFound"})
_DENIED = frozenset({"InvalidLogin", "NoPermission", EXPIRED, "PasswordExpired", "NoHost"})
UNSUPPORTED = frozenset({"MethodNotFound", "NotSupported", "NotImplemented", "InvalidRequest"})
"""What a server answers that has no such method."""

# Faults that tell nothing about whether the call took effect.
_OPEN = frozenset(
    {"RuntimeFault", "MethodFault", "SystemError", "HostCommunication", "HostNotReachable"}
    | {"RequestCanceled", "Timedout", "UnexpectedFault"}
)

# What a fault means and what to do, by its type. Source: vSphere Web Services API.
_HINTS = {
    "InvalidLogin": "the login was refused: check the endpoint's username and password",
    "PasswordExpired": "the account's password has expired: renew it",
    "NoPermission": "the account lacks a privilege there: see snapaudit doctor",
    EXPIRED: "the session is no longer valid",
    "ManagedObjectNotFound": "it is no longer there",
    "NotFound": "it is no longer there",
    "TaskInProgress": "another task holds the machine: try again when it is over",
    "ConcurrentAccess": "somebody else changed the machine at that moment: try again",
    "InvalidState": "the machine's state does not allow it",
    "InvalidPowerState": "the machine's power state does not allow it",
    "FileLocked": "something holds one of its files, such as a backup proxy: see what does",
    "NoDiskSpace": "the datastore is full: free space first",
    "InsufficientDiskSpace": "the datastore is full: free space first",
    "MethodDisabled": "the method is disabled there, as backup software does while it works",
    "HostNotConnected": "its host is not connected",
    "RestrictedVersion": "the licence of that host does not allow it",
}


class Refused(CallRefused):
    """A mutating call that was refused; ``fault`` is the type's name in the API reference."""

    def __init__(self, fault: str, message: str) -> None:
        self.fault = fault
        super().__init__(message)


class Unsupported(HypervisorError):
    """The server has no such method, or does not offer it."""


def explained(fault: SoapFault) -> str:
    """The server's words, and what they mean where that is known."""
    said = fault.message or fault.name
    about = f" ({fault.about})" if fault.name == "NoPermission" and fault.about else ""
    hint = _HINTS.get(fault.name)
    named = said if fault.name in said else f"{fault.name}: {said}"
    return f"{named}{about}; {hint}" if hint else f"{named}{about}"


def as_ours(fault: SoapFault, where: str) -> HypervisorError:
    """A fault that a reading call was answered with."""
    message = f"{where}: {explained(fault)}"
    if fault.name in _GONE:
        return Gone(message)
    if fault.name in UNSUPPORTED:
        return Unsupported(message)
    return AccessDenied(message) if fault.name in _DENIED else HypervisorError(message)


def refused(fault: SoapFault, where: str) -> HypervisorError:
    """A fault that a mutating call was answered with: nothing has changed, unless it is open."""
    message = f"{where}: {explained(fault)}"
    if fault.name in _OPEN:
        return HypervisorError(f"{message}; whether the call took effect is not known")
    return Refused(fault.name, message)


def lost(error: Exception, where: str) -> Unreachable:
    """A connection that was never there, or broke."""
    return Unreachable(f"{where}: {_reason(error)}")


def garbled(error: Malformed, where: str) -> HypervisorError:
    """An answer that cannot be understood; one that was cut off counts as none."""
    message = f"{where}: {error}"
    return Unreachable(message) if isinstance(error, Cut) else HypervisorError(message)


def _reason(error: Exception) -> str:
    match error:
        case socket.gaierror():
            return "the host name cannot be resolved: check it"
        case ConnectionRefusedError():
            return "nothing listens there: check host and port"
        case TimeoutError():
            return "no answer came in time"
        case ssl.SSLError():
            told = error.reason or str(error)
            return f"no encrypted connection: {told.replace('_', ' ').lower()}"
        case HTTPException() if type(error) is HTTPException:
            return f"it answers with HTTP {error}: is it a vCenter or ESXi host, and is it up?"
        case OSError() if error.strerror:
            return f"the connection failed: {error.strerror.lower()}"
        case _:
            return f"the connection was lost: {str(error) or type(error).__name__}"


def soap_fault(error: Any) -> SoapFault:
    """A fault that pyVmomi raised (vmodl.MethodFault), as the value used here."""
    name = getattr(type(error), "_wsdlName", type(error).__name__)
    about = getattr(error, "privilegeId", None) or getattr(error, "name", None)
    return SoapFault(str(name), str(getattr(error, "msg", "") or ""), about and str(about))
