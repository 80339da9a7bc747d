"""Names and paths as vSphere writes them: ``[datastore] folder/file``, three characters escaped.

A server sends a percent sign, a slash and a backslash in a name as ``%25``, ``%2f`` and ``%5c``
(vim.ManagedEntity.name); nothing else that looks like an escape is one.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"%(25|2[fF]|5[cC])")
_MEANING = {"25": "%", "2f": "/", "5c": "\\"}
_PATH = re.compile(r"\[(?P<datastore>.*?)\] ?(?P<inside>.*)", re.DOTALL)
_DELTA = re.compile(r"-\d{6}\.vmdk\Z")


def decoded(name: str) -> str:
    """A name as people gave it."""
    return _ESCAPE.sub(lambda found: _MEANING[found[1].lower()], name)


def datastore_of(path: str) -> str | None:
    """The name of the datastore in a path; None when it is no datastore path."""
    found = _PATH.fullmatch(path)
    return found["datastore"] if found else None


def inside_of(path: str) -> str:
    """Folder and file within the datastore."""
    found = _PATH.fullmatch(path)
    return found["inside"] if found else path


def folder_of(path: str) -> str:
    """Datastore and folder of a file; files of one folder have equal ones."""
    return path.rpartition("/")[0]


def is_delta(path: str) -> bool:
    """Whether a file has the name that the platform gives to the delta of a snapshot."""
    return _DELTA.search(path) is not None
