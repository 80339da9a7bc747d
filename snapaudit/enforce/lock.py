"""The lock of a state folder: one run that may change something at a time.

Safety does not rest on it (docs/safety.md, INV-25): the journal and the last look before each call
do. It keeps two people from working against each other, and tells the second who is first.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
from datetime import datetime
from pathlib import Path
from types import TracebackType

from snapaudit.enforce.state import State, distrust
from snapaudit.errors import RefusedError

MOUNTINFO = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gfs2", "gpfs", "lustre", "ncpfs"),
        *("nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "virtiofs"),
        *("fuse.ceph", "fuse.cephfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.gvfsd-fuse"),
        *("fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def file_system_of(path: Path, mountinfo: str) -> str | None:
    """The type of the file system an absolute path without links lies on, None if not told.

    ``mountinfo`` is the text of ``/proc/self/mountinfo``; of two mounts on one point the last
    counts.
    """
    best, kind = -1, None
    for line in mountinfo.splitlines():
        left, separator, right = line.partition(" - ")
        fields = left.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4]))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), right.split(" ")[0]
    return kind


def network_file_system(path: Path, mountinfo: str) -> str | None:
    """The type of the network file system a path lies on; None: it lies on none."""
    kind = file_system_of(path, mountinfo)
    return kind if kind in _NETWORK else None


class Lock:
    """The lock, held from ``with`` to the end of the block or of the process, however it ends."""

    def __init__(self, state: State, now: datetime, mountinfo: Path = MOUNTINFO) -> None:
        """Take the lock at once or raise RefusedError naming who holds it."""
        self._path = state.lock
        _refuse_network(state.folder, mountinfo)
        self._handle = _open(self._path)
        try:
            self._take(now)
        except BaseException:
            os.close(self._handle)
            raise

    def _take(self, now: datetime) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._say_who(now)
        except BlockingIOError as error:
            raise RefusedError(
                f"another run is at work here ({_holder(self._handle)}); wait for its end."
                f" Nobody has to remove {self._path}: a lock ends with its process"
            ) from error
        except OSError as error:
            raise RefusedError(f"{self._path}: cannot be locked: {error.strerror}") from error
        if not self.still_held():
            raise RefusedError(f"{self._path}: was replaced while it was locked; try again")

    def _say_who(self, now: datetime) -> None:
        since = now.isoformat(timespec="seconds")
        who = f"process {os.getpid()} on {socket.gethostname()} since {since}\n"
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, who.encode("utf-8", "backslashreplace"), 0)

    def still_held(self) -> bool:
        """Whether the file under the lock's name is still the one that is locked.

        Somebody who removes or replaces it lets another run in beside this one.
        """
        try:
            ours, there = os.fstat(self._handle), os.lstat(self._path)
        except OSError:
            return False
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)

    def release(self) -> None:
        """Let it go; doing so twice does nothing. The file stays: removing it would race."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _refuse_network(folder: Path, mountinfo: Path) -> None:
    try:
        mounts = mountinfo.read_text("utf-8", "surrogateescape")
        kind = network_file_system(folder.resolve(), mounts)
    except OSError as error:
        message = f"{folder}: nobody can tell what file system it is on: {error.strerror}"
        raise RefusedError(message) from error
    if kind is not None:
        raise RefusedError(
            f"{folder}: lies on a network file system ({kind}), where a lock on one computer need"
            " not hold on another; set 'state:' to a folder on a local disk"
        )


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, 0o600)
    except OSError as error:
        raise RefusedError(f"{path}: cannot be opened: {error.strerror}") from error
    complaint = distrust(os.fstat(handle))
    if complaint is not None:
        os.close(handle)
        raise RefusedError(f"{path}: {complaint}")
    return handle


def _holder(handle: int) -> str:
    said = os.pread(handle, 300, 0).decode("utf-8", "replace").strip()
    return said or "it has not said which yet"
