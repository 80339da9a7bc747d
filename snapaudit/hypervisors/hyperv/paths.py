r"""Paths as Windows writes them: compared without case, with one style of slash.

A key is the form in which paths are compared, never one to show or to send. ``\\?\`` before a path
says only how to read it, and ``\\?\UNC\`` is another spelling of ``\\``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

AUTOMATIC = (".AVHD", ".AVHDX")
"""Differencing disks that the platform itself makes, one for each disk and checkpoint."""
_SET = ".VHDS"
_VERBATIM_SHARE, _VERBATIM = "\\\\?\\UNC\\", "\\\\?\\"
_SLASHES = re.compile(r"\\+")
_AUTO_RECOVERY = re.compile(r"-AUTORECOVERY\.AVHDX?$")
_CLUSTER = re.compile(r"[A-Z]:\\CLUSTERSTORAGE\\[^\\]+")
_SHARE = re.compile(r"\\\\[^\\]+\\[^\\]+")


def key(path: str) -> str:
    """A path as it is compared: capitals, backslashes, none at its end."""
    text = _capitals(path.replace("/", "\\"))
    if text.startswith(_VERBATIM_SHARE):
        text = "\\\\" + text[len(_VERBATIM_SHARE) :]
    elif text.startswith(_VERBATIM) and not text.startswith("\\\\?\\VOLUME{"):
        text = text[len(_VERBATIM) :]
    start = "\\\\" if text.startswith("\\\\") else ""
    return start + _SLASHES.sub(r"\\", text[len(start) :]).strip("\\")


def _capitals(text: str) -> str:
    """Letter by letter, as NTFS does: a letter whose capital is two letters stays as it is."""
    if text.isascii():
        return text.upper()
    return "".join(up if len(up := letter.upper()) == 1 else letter for letter in text)


def name(path: str) -> str:
    """The last part, as it was written."""
    return path.replace("/", "\\").rstrip("\\").rpartition("\\")[2]


def folder(path_key: str) -> str:
    """The key of the folder that holds it."""
    return path_key.rpartition("\\")[0]


def is_automatic(path_key: str) -> bool:
    """Whether the platform made the file for a checkpoint or a backup."""
    return path_key.endswith(AUTOMATIC)


def is_disk_set(path_key: str) -> bool:
    """Whether it is a VHD set, which a group of machines shares."""
    return path_key.endswith(_SET)


def is_auto_recovery(path_key: str) -> bool:
    """Whether a backup of Windows Server 2012 R2 made it, for as long as the backup runs."""
    return _AUTO_RECOVERY.search(path_key) is not None


def share(path_key: str) -> str | None:
    r"""The ``\\SERVER\SHARE`` that it lies in; None for one on a volume of the host."""
    if path_key.startswith(_VERBATIM):
        return None
    found = _SHARE.match(path_key)
    return found[0] if found else None


def cluster_folder(path_key: str) -> str | None:
    """The mount point of the cluster shared volume that it lies in, by its place alone."""
    found = _CLUSTER.match(path_key)
    return found[0] if found else None


def drive(path_key: str) -> str:
    """The first part of a local path: ``D:``, or the volume's own name."""
    if path_key.startswith(_VERBATIM):
        return _VERBATIM + path_key[len(_VERBATIM) :].partition("\\")[0]
    return path_key.partition("\\")[0]


def is_below(path_key: str, root: str) -> bool:
    """Whether it is that folder or lies in it, however deep."""
    return path_key == root or path_key.startswith(f"{root}\\")


def longest(path_key: str, roots: Iterable[str]) -> str | None:
    """The root that holds it most closely: mount points lie below other volumes."""
    return max((root for root in roots if is_below(path_key, root)), key=len, default=None)
