"""Who may log in, in the form in which the accepting side of NTLM reads it."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

from tests import canaries

ACCOUNTS = {"auditor": canaries.WINDOWS}
_USERS = "NTLM_USER_FILE"


class _Keeper:
    """The accounts as pyspnego wants them: a file that the environment names, while it is used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users, self._path, self._before = 0, Path(), ""

    def take(self) -> None:
        """One host more checks logins."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before = os.environ.get(_USERS, "")
                handle, name = tempfile.mkstemp(prefix="sa-users-")
                os.write(handle, "".join(f":{n}:{p}\n" for n, p in ACCOUNTS.items()).encode())
                os.close(handle)
                self._path = Path(name)
                os.environ[_USERS] = name

    def leave(self) -> None:
        """One host less."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._path.unlink()
                os.environ.pop(_USERS)
                if self._before:
                    os.environ[_USERS] = self._before


KEEPER = _Keeper()
"""Every host asks it for the file while it runs."""
