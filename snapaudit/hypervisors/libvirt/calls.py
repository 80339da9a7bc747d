"""The mutating calls that exist for libvirt, as data. There is none that removes more than one."""

from __future__ import annotations

from collections.abc import Sequence

from snapaudit.model.acting import Call

DELETE = "delete"
"""libvirt's own deletion of one snapshot."""
FORGET = "forget"
"""Drop one snapshot's record; its data has been merged before."""
COMMIT = "commit"
"""A block job that copies one overlay of a running machine into the image below."""
PIVOT = "pivot"
"""Let a running machine go on with the image that a block job has completed."""
ABORT = "abort"
"""Take a block job back at a person's request: the chain stays as it is."""
MERGE_OFFLINE = "merge-offline"
"""``qemu-img commit`` of one overlay of a machine that is off."""
REBASE = "rebase"
"""Let the image above a merged overlay stand on the one below it."""
REDEFINE = "redefine"
"""Take a merged overlay out of the machine's definition."""
REDEFINE_SNAPSHOT = "redefine-snapshot"
"""Take a merged overlay out of the definition that a remaining snapshot holds."""
UNLINK = "unlink"
"""Remove one file that is merged and that nothing names any more."""

MERGING = frozenset({COMMIT, MERGE_OFFLINE})


def about(call: Call, key: str) -> str:
    """A text that the call carries; KeyError when it has none."""
    value = call.about[key]
    if not isinstance(value, str):
        raise KeyError(key)
    return value


def made_for(made: Sequence[Call], name: str, **wanted: str) -> list[Call]:
    """The calls of that name about exactly that, in order."""
    return [
        call
        for call in made
        if call.name == name and all(call.about.get(key) == is_ for key, is_ in wanted.items())
    ]
