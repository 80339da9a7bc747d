"""The history that a configuration names, opened to read or to write."""

from __future__ import annotations

import stat
from collections.abc import Mapping

from snapaudit.config.secrets import fetch
from snapaudit.config.settings import Settings
from snapaudit.enforce.state import State, distrust, prepare
from snapaudit.errors import HistoryError, RefusedError
from snapaudit.history.store import Store, open_file, open_server
from snapaudit.model.history import history_file

_BESIDE = ("", "-wal", "-shm")


def exists(settings: Settings) -> bool:
    """Whether there may be something to read. Looks at files alone, at no server."""
    return settings.history.url is not None or history_file(settings.state).exists()


def open_history(settings: Settings, environ: Mapping[str, str], *, writing: bool = False) -> Store:
    """The history, to be closed by whoever asked for it. To read one, nothing is created.

    Raises HistoryError where there is none to read, or where it cannot be used; RefusedError where
    somebody else could have written to it.
    """
    if settings.history.url is not None:
        reference = settings.history.password
        password = None if reference is None else fetch(reference, environ).reveal()
        return open_server(settings.history.url, password, writing=writing)
    path = history_file(settings.state)
    if writing:
        prepare(State(settings.state))
    elif not path.exists():
        raise HistoryError(f"{path}: nothing is remembered yet; `snapaudit audit` records its runs")
    _refuse_foreign(settings)
    return open_file(path, writing=writing)


def _refuse_foreign(settings: Settings) -> None:
    """Somebody else's file could hold anything; SQLite would follow a link, too."""
    folder, path = settings.state, history_file(settings.state)
    complaint = distrust(folder.lstat(), wanted=stat.S_ISDIR)
    if complaint is not None:
        raise RefusedError(f"{folder}: {complaint}")
    for ending in _BESIDE:
        beside = path.with_name(path.name + ending)
        try:
            complaint = distrust(beside.lstat())
        except FileNotFoundError:
            continue
        if complaint is not None:
            raise RefusedError(f"{beside}: {complaint}")
