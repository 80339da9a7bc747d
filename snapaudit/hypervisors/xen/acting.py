"""The session that may delete: what a reading session may call, and four calls more."""

from __future__ import annotations

from snapaudit.errors import AccessDenied
from snapaudit.hypervisors.xen import reads
from snapaudit.hypervisors.xen.client import Client
from snapaudit.hypervisors.xen.failures import METHOD_UNKNOWN, Said

SHUT_DOWN, DESTROY_VM = "Async.VM.hard_shutdown", "Async.VM.destroy"
DESTROY_VDI, DESTROY_TASK = "Async.VDI.destroy", "task.destroy"
CHANGES = frozenset({SHUT_DOWN, DESTROY_VM, DESTROY_VDI, DESTROY_TASK})

_NEEDED = ("VM.destroy", "VDI.destroy", "VM.hard_shutdown")


class ActingClient(Client):
    """One session of the account that may delete."""

    allowed = reads.READS | CHANGES

    def refuse_without_rights(self) -> None:
        """Raises AccessDenied where the account may not delete; asked before anything is sent."""
        missing = [right for right in _NEEDED if right.lower() not in self._rights()]
        if missing:
            name = self._account.username
            raise AccessDenied(
                f"{self.where}: {name} may not call {', '.join(missing)}: to delete snapshots an "
                "account needs the role vm-admin (enforce_as names one for this alone)"
            )

    def _rights(self) -> frozenset[str]:
        """The calls of the session's role. A local superuser has no list, since he may do all."""
        try:
            if self.ask(reads.SUPERUSER, self.handle) is True:
                return frozenset(right.lower() for right in _NEEDED)
            return frozenset(str(right).lower() for right in self.ask(reads.RIGHTS, self.handle))
        except Said as error:
            if error.code != METHOD_UNKNOWN:
                raise
            return frozenset(right.lower() for right in _NEEDED)
