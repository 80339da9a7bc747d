"""Facts about a file that nothing uses, or that no registered snapshot explains."""

from __future__ import annotations

from datetime import timedelta

from snapaudit.rules.facts.registry import fact
from snapaudit.rules.quantity import Bytes, Unknown, age_of
from snapaudit.rules.scene import FileRole, FileScene

_NO_SIZE = Unknown("the size of the file is not known")
_NO_STORE = Unknown("it is not known on which datastore the file lies")
_NO_CHANGE = Unknown("nobody could look when the file was last changed")


@fact
def name(scene: FileScene) -> str:
    """The last part of the path."""
    return scene.name


@fact
def path(scene: FileScene) -> str:
    """The path."""
    return scene.path


@fact
def role(scene: FileScene) -> FileRole:
    """``volume``, ``overlay``, ``memory``: nothing uses it; ``phantom``: it stands in a chain."""
    return scene.role


@fact
def datastore(scene: FileScene) -> str | Unknown:
    """The name of the datastore it lies on."""
    found = scene.endpoint.datastores.get(scene.datastore_id or "")
    return _NO_STORE if found is None else found.name


@fact
def size(scene: FileScene) -> Bytes | Unknown:
    """What it occupies."""
    return _NO_SIZE if scene.size_bytes is None else Bytes(scene.size_bytes)


@fact
def unchanged_for(scene: FileScene) -> timedelta | Unknown:
    """Time since it was last changed."""
    if scene.changed_at is None:
        return _NO_CHANGE
    return age_of(scene.changed_at, scene.endpoint.now)
