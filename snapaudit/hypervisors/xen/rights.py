"""What the role of a session lets it call. Source: roles and permissions of the xen-api docs."""

from __future__ import annotations

from snapaudit.hypervisors.xen import reads
from snapaudit.hypervisors.xen.client import Client
from snapaudit.hypervisors.xen.failures import METHOD_UNKNOWN, Said

DELETING = ("VM.destroy", "VDI.destroy", "VM.hard_shutdown")
"""What deleting snapshots needs; the least role that has all of it is vm-admin."""

ROLE = "vm-admin"


def missing(client: Client) -> tuple[str, ...]:
    """The calls that deleting needs and this session may not make.

    A local superuser has no list, since he may do all; nor has a server without roles.
    """
    try:
        if client.ask(reads.SUPERUSER, client.handle) is True:
            return ()
        held = {str(right).lower() for right in client.ask(reads.RIGHTS, client.handle)}
    except Said as error:
        if error.code != METHOD_UNKNOWN:
            raise
        return ()
    return tuple(right for right in DELETING if right.lower() not in held)


def is_superuser(client: Client) -> bool:
    """Whether the session may do all there is."""
    return client.ask(reads.SUPERUSER, client.handle) is True
