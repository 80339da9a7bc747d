"""The session that may delete: what a reading session may call, and four calls more."""

from __future__ import annotations

from snapaudit.errors import AccessDenied
from snapaudit.hypervisors.xen import reads, rights
from snapaudit.hypervisors.xen.client import Client

SHUT_DOWN, DESTROY_VM = "Async.VM.hard_shutdown", "Async.VM.destroy"
DESTROY_VDI, DESTROY_TASK = "Async.VDI.destroy", "task.destroy"
CHANGES = frozenset({SHUT_DOWN, DESTROY_VM, DESTROY_VDI, DESTROY_TASK})


class ActingClient(Client):
    """One session of the account that may delete."""

    allowed = reads.READS | CHANGES

    def refuse_without_rights(self) -> None:
        """Raises AccessDenied where the account may not delete; asked before anything is sent."""
        missing = rights.missing(self)
        if missing:
            raise AccessDenied(
                f"{self.where}: {self.username} may not call {', '.join(missing)}: to delete "
                f"snapshots an account needs the role {rights.ROLE} (enforce_as names one for this "
                "alone)"
            )
