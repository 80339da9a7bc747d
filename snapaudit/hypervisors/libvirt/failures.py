"""libvirt's error codes as our errors, with what to do. Source: libvirt's virErrorNumber."""

from __future__ import annotations

from typing import Any

from snapaudit.errors import AccessDenied, Gone, HypervisorError, Unreachable

NO_DOMAIN, NO_SNAPSHOT, NO_VOLUME, NO_POOL = 42, 72, 50, 49
_GONE = {NO_DOMAIN, NO_SNAPSHOT, NO_VOLUME, NO_POOL, 102}
_DENIED = {29, 45, 79, 80, 88}
_NO_SUPPORT = {3, 84}

# libvirt calls a line that breaks in the handshake a failed authentication, as a wrong password.
_BROKEN = "tls handshake failed"

# What the text of a refused connection contains, and the step that mends it.
_REPAIRS = (
    ("cannot read ca certificate", "put the site's cacert.pem into the folder of ?pkipath="),
    ("verify peer's certificate", "its certificate is for another host or from another CA"),
    (
        _BROKEN,
        "the line ended before it was encrypted: check port and network, and whether the daemon "
        "wants a certificate of the client",
    ),
    ("host key verification failed", "accept the host's key once by hand with ssh"),
    ("permission denied (", "ssh refused the login: check user name and key"),
    ("nc: not found", "ssh needs nc there: install netcat-openbsd, or add ?proxy=native"),
    ("no such file or directory", "is libvirtd (or virtqemud) running there?"),
    ("connection refused", "nothing listens on that port or socket: is the daemon running?"),
    ("name or service not known", "check the host name"),
    ("temporary failure in name resolution", "check the host name"),
    ("no route to host", "check address, network and firewall"),
    ("permission denied", "the account may not use the daemon's socket: join the libvirt group"),
    ("authentication failed", "it wants a login: check the endpoint's username and password"),
    ("no connection driver available", "the driver in the URI is unknown; use qemu, xen or test"),
)


# What the text of a call that failed contains, and what it means here.
_HINTS = (
    ("no space left", "the chain is as it was, and the datastore is full: free space first"),
    ("permission denied", "the host's configuration (AppArmor, owner) keeps QEMU from the image"),
    ("failed to get", "another program has the image open: end it first"),
    ("read only access", "the account may only read: name one under enforce_as that may write"),
    ("cannot acquire state change lock", "another call holds the machine: see virsh domjobinfo"),
    ("read-only", "QEMU holds the image read-only: let the machine run, or shut it off"),
)


def text_of(error: Exception) -> str:
    """Libvirt's message in one line, without the name of the C function."""
    message = getattr(error, "get_error_message", lambda: None)() or str(error)
    return " ".join(str(message).split())


def code_of(error: Any) -> int:
    """Libvirt's error number, 0 when there is none."""
    return int(error.get_error_code() or 0) if hasattr(error, "get_error_code") else 0


def is_gone(error: Exception) -> bool:
    """Whether the object was there and no longer is."""
    return code_of(error) in _GONE


def is_unsupported(error: Exception) -> bool:
    """Whether this driver does not have the call at all."""
    return code_of(error) in _NO_SUPPORT


def is_out_of_space(error: Exception | None) -> bool:
    """Whether a call failed since the datastore is full."""
    return error is not None and "no space left" in text_of(error).lower()


def explained(error: Exception) -> str:
    """Libvirt's or QEMU's words about a call that failed, and what to do where that is known."""
    message = text_of(error)
    hint = next((step for words, step in _HINTS if words in message.lower()), None)
    return f"{message}; {hint}" if hint else message


def as_ours(error: Exception, endpoint: str, url: str) -> HypervisorError:
    """The error of a whole endpoint, naming it and the repair."""
    message = text_of(error)
    repair = next((step for words, step in _REPAIRS if words in message.lower()), None)
    full = f"{endpoint}: {url}: {message}" + (f"; {repair}" if repair else "")
    code = code_of(error)
    if _BROKEN in message.lower():
        return Unreachable(full)
    if code in _DENIED or "authentication failed" in message.lower():
        return AccessDenied(full)
    return Gone(full) if code in _GONE else Unreachable(full)
