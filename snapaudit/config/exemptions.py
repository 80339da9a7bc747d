"""Exemptions: the file in which people accept findings, read with the place of every mistake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node, read_yaml
from snapaudit.config.exemption import Known, exemption_of
from snapaudit.config.settings import ExemptionSettings
from snapaudit.errors import InputError
from snapaudit.model.exemption import Exemption

FILE_NAME = "exemptions.yaml"
VERSION = 1
KEYS = ("file", "max_life", "require_ticket", "honour_expiry")


def exemption_settings(node: Node, folder: Path) -> ExemptionSettings:
    """The section of the configuration; what it leaves out keeps its default."""
    found = expect.mapping(node, KEYS)
    standing = ExemptionSettings()
    default = folder / FILE_NAME
    return ExemptionSettings(
        file=expect.optional(found, "file", lambda at: expect.path(at, folder), default),
        must_exist="file" in found,
        max_life=expect.optional(found, "max_life", _some_time, standing.max_life),
        require_ticket=expect.optional(found, "require_ticket", expect.boolean, False),
        honour_expiry=expect.optional(found, "honour_expiry", _some_time, None),
    )


def _some_time(node: Node) -> timedelta:
    span = expect.duration(node)
    if not span:
        raise InputError(node.place, "allows nothing; leave the key out, or write a time like 30d")
    return span


def read_exemptions(settings: ExemptionSettings, known: Known) -> tuple[Exemption, ...]:
    """The exemptions in the order of the file; none where there is no file by the default name.

    Raises InputError with the place of the first mistake: a file that cannot be read whole accepts
    nothing, and is never passed over.
    """
    strict = settings.require_ticket
    return tuple(
        exemption_of(entry, earlier, known, require_ticket=strict)
        for entry, earlier in entries(settings)
    )


def entries(settings: ExemptionSettings) -> Iterator[tuple[Node, dict[str, Node]]]:
    """Each entry of the file, with the ids of those before it. Raises InputError."""
    if settings.file is None or not (settings.must_exist or is_there(settings.file)):
        return
    seen: dict[str, Node] = {}
    for item in entries_of(read_yaml(settings.file)):
        yield item, seen
        if isinstance(item.value, dict) and "id" in item.value:
            name = item.value["id"]
            seen.setdefault(str(name.value), name)


def is_there(file: Path) -> bool:
    """Whether there is something by that name, be it a broken link. Raises InputError."""
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise InputError(str(file), f"cannot be looked at: {error.strerror}") from error
    return True


def entries_of(root: Node) -> tuple[Node, ...]:
    """The entries of a document; ``exemptions:`` with nothing behind it holds none."""
    found = expect.mapping(root, ("version", "exemptions"), required=("version", "exemptions"))
    version = found["version"]
    if expect.integer(version) != VERSION:
        message = f"expected version {VERSION}, the one this program reads"
        raise InputError(version.place, f"{message}; found {version.value}")
    listed = found["exemptions"]
    return () if listed.value is None else expect.sequence(listed)
