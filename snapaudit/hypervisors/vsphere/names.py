"""Names and paths as vSphere writes them: ``[datastore] folder/file``, three characters escaped.

A server sends a percent sign, a slash and a backslash in a name as ``%25``, ``%2f`` and ``%5c``
(vim.ManagedEntity.name); nothing else that looks like an escape is one.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"%(25|2[fF]|5[cC])")
_MEANING = {"25": "%", "2f": "/", "5c": "\\"}
_DELTA = re.compile(r"-\d{6}\.vmdk\Z")


def decoded(name: str) -> str:
    """A name as people gave it."""
    if "%" not in name:
        return name
    return _ESCAPE.sub(lambda found: _MEANING[found[1].lower()], name)


def parted(path: str) -> tuple[str | None, str]:
    """Datastore, and folder with file within it; None when it is no datastore path."""
    store, bracket, inside = path.partition("]")
    if not bracket or not store.startswith("["):
        return None, path
    return store[1:], inside.removeprefix(" ")


def folder_of(path: str) -> str:
    """Datastore and folder of a file; files of one folder have equal ones."""
    return path.rpartition("/")[0]


def is_delta(path: str) -> bool:
    """Whether a file has the name that the platform gives to the delta of a snapshot."""
    return _DELTA.search(path) is not None
