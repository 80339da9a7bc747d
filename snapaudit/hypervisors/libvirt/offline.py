"""Merges of machines that are off, by QEMU's own tool on files of this machine.

QEMU's lock on the images is the last net: the tool is refused while anything else has them open.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import BinaryIO

from snapaudit.errors import CallRefused
from snapaudit.hypervisors.libvirt.birth import birth_of

_FLOCK = struct.Struct("hhqqi4x")
# QEMU keeps its locks on single bytes from here on (block/file-posix.c).
_LOCKS_AT, _LOCKS_BYTES = 100, 200
_IDENTICAL = 0
_TAIL = 1000


class OfflineMerge:
    """One ``qemu-img commit`` of one overlay into the image right below it.

    It goes on when this process ends: its output is a file, so that nothing breaks under it.
    """

    def __init__(self, overlay: str, base: str, rate_bytes: int | None) -> None:
        rate = ("-r", str(rate_bytes)) if rate_bytes else ()
        words = ("commit", "-p", "-f", "qcow2", *rate, "-d", "-b", base, overlay)
        self._command = (_tool(), *words)
        self._said: BinaryIO | None = None

    def run(self) -> None:
        """Return when it is merged; OSError with QEMU's words otherwise."""
        with tempfile.TemporaryFile() as said:
            self._said = said
            code = _call(self._command, said)
            words = _last_words(said)
        if code < 0:
            raise OSError(f"qemu-img was ended from outside (signal {-code})")
        if code > 0:
            raise OSError(words or f"qemu-img ended with {code}")

    @property
    def share_done(self) -> float | None:
        """How far it is, from 0 to 1, by its own account: ``(12.50/100%)``."""
        try:
            words = _last_words(self._said) if self._said is not None else ""
            return float(words.rpartition("(")[2].partition("/")[0]) / 100
        except (ValueError, OSError):
            return None


def _last_words(said: BinaryIO) -> str:
    length = os.fstat(said.fileno()).st_size
    tail = os.pread(said.fileno(), _TAIL, max(0, length - _TAIL))
    lines = tail.decode(errors="replace").replace("\r", "\n").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def is_merged(overlay: str, base: str, base_format: str) -> bool:
    """Whether the guest would see the same in both, to the byte. Reads everything that is in them.

    False also when they cannot be read, for instance since a machine has them open.
    """
    words = ("compare", "-q", "-f", "qcow2", "-F", base_format, overlay, base)
    with tempfile.TemporaryFile() as said:
        return _call((_tool(), *words), said) == _IDENTICAL


def rebase(image: str, base: str, base_format: str) -> None:
    """Let an image stand on another that holds the same; OSError with QEMU's words otherwise."""
    words = ("rebase", "-u", "-f", "qcow2", "-F", base_format, "-b", base, image)
    with tempfile.TemporaryFile() as said:
        if _call((_tool(), *words), said) != 0:
            raise OSError(_last_words(said))


def remove(path: str, mark: str) -> None:
    """Remove exactly that file. CallRefused when it is another by now, a link, or not regular."""
    if mark_of(path) != mark:
        raise CallRefused(f"{path} is not the file that was seen: nothing was removed")
    Path(path).unlink()


def mark_of(path: str) -> str | None:
    """What tells a regular file from a later one of its name; None for anything else."""
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    return f"{facts.st_ino}@{birth_of(path)}" if stat.S_ISREG(facts.st_mode) else None


def is_device(path: str) -> bool:
    """Whether it is a block device of this machine."""
    try:
        return stat.S_ISBLK(Path(path).stat().st_mode)
    except OSError:
        return False


def used(path: str) -> int:
    """Bytes a file occupies, 0 when nobody can tell."""
    try:
        return Path(path).stat().st_blocks * 512
    except OSError:
        return 0


def state_of(path: str) -> tuple[int, int, int]:
    """Changes whenever a file is written to. Raises OSError."""
    facts = Path(path).stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def is_at_work(overlay: str) -> bool:
    """Whether a merge of that overlay runs, whoever began it, be it about to open the file."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(b"qemu-img") and os.fsencode(overlay) in words:
            return True
    return is_held(overlay)


def is_held(path: str) -> bool:
    """Whether some QEMU has an image open; asked of the kernel, taking no lock."""
    question = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, _LOCKS_AT, _LOCKS_BYTES, 0)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, question)
    finally:
        os.close(descriptor)
    return bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def _tool() -> str:
    found = shutil.which("qemu-img")
    if found is None:
        raise CallRefused("merging for a machine that is off needs qemu-img: install qemu-utils")
    return found


def _call(command: tuple[str, ...], said: BinaryIO) -> int:
    """In a session of its own: an interrupt at the terminal is not meant for it."""
    return subprocess.run(  # noqa: S603 - constant words and absolute paths, without a shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        env={"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)},
        start_new_session=True,
        check=False,
    ).returncode
