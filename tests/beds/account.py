"""The unprivileged account that a bed's daemons run as, so that none of them can harm the machine.

A libvirtd that runs as root always uses the folders of the system; as anybody else it keeps to
the folders named by HOME and XDG_*.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from tests.beds.required import require_bed, require_program

_UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """Who a bed's processes are; ``drop`` is what root puts before a command to become that."""

    uid: int
    gid: int
    drop: tuple[str, ...] = ()

    def command(self, *words: str) -> list[str]:
        """The command line that runs as this account, under the process id of its first word."""
        return [*self.drop, *words]

    def own(self, folder: Path) -> None:
        """Hand a folder and everything in it over to this account."""
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid)


def unprivileged() -> Account:
    """The present account, or for root the one that owns nothing."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        require_bed(f"running as root, and there is no account {_UNPRIVILEGED!r} to run as instead")
    words = (f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
    return Account(entry.pw_uid, entry.pw_gid, (require_program("setpriv"), *words))
