"""The lock: between real processes, over what it is laid on, and when somebody takes it away."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from snapaudit.enforce.lock import Lock, file_system_of, network_file_system
from snapaudit.enforce.state import State
from snapaudit.errors import RefusedError
from tests.builders import NOW

HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from snapaudit.enforce.lock import Lock
from snapaudit.enforce.state import State

with Lock(State(Path(sys.argv[1])), datetime.now(UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(state: State) -> subprocess.Popen[str]:
    """A process that has the lock until it is ended or its standard input closes."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(state.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=10)


def test_i9_grd_25_second_process_is_refused_and_told_who_is_first(state: State) -> None:
    process = holder(state)
    try:
        with pytest.raises(RefusedError, match=rf"process {process.pid} on .* since 20"):
            Lock(state, NOW)
    finally:
        end(process)


def test_grd_25_lock_ends_with_its_process_even_if_killed(state: State) -> None:
    end(holder(state))
    with Lock(state, NOW) as lock:
        assert lock.still_held()
        assert f"process {os.getpid()} on" in state.lock.read_text()
        assert NOW.isoformat() in state.lock.read_text()


def test_lock_that_was_released_can_be_taken_again(state: State) -> None:
    first = Lock(state, NOW)
    with pytest.raises(RefusedError, match="at work"):
        Lock(state, NOW)
    first.release()
    first.release()
    assert not first.still_held()
    Lock(state, NOW).release()


def test_grd_18_lock_that_somebody_removed_or_replaced_is_lost(state: State) -> None:
    with Lock(state, NOW) as lock:
        state.lock.unlink()
        assert not lock.still_held()
        state.lock.touch()
        assert not lock.still_held()


def test_s6_lock_behind_a_link_or_of_everybody_is_refused(state: State, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    state.lock.symlink_to(tmp_path / "precious")
    with pytest.raises(RefusedError, match="cannot be opened"):
        Lock(state, NOW)
    state.lock.unlink()
    state.lock.touch()
    state.lock.chmod(0o666)
    with pytest.raises(RefusedError, match="others may write"):
        Lock(state, NOW)
    assert (tmp_path / "precious").read_text() == "data"


def test_lock_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="cannot be opened"):
        Lock(State(tmp_path / "none"), NOW)


MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 27 0:30 / /srv rw,relatime shared:1 master:2 - nfs4 filer:/srv rw
31 30 0:31 / /srv/local rw - xfs /dev/vdb rw
32 27 0:32 / /home rw - autofs systemd-1 rw
33 27 0:33 / /home rw - nfs filer:/home rw
34 27 0:34 / /mnt/my\040disk\134s rw - fuse.sshfs host: rw
a line that says nothing
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/var/lib/snapaudit", "ext4"),
        ("/srv", "nfs4"),
        ("/srv/state", "nfs4"),
        ("/srvother", "ext4"),
        ("/srv/local/state", "xfs"),
        ("/home/ada/.snapaudit", "nfs"),
        ("/mnt/my disk\\s/state", "fuse.sshfs"),
    ],
)
def test_grd_25_longest_and_latest_mount_tells_the_file_system(path: str, kind: str) -> None:
    assert file_system_of(Path(path), MOUNTS) == kind
    wanted = kind if kind not in ("ext4", "xfs") else None
    assert network_file_system(Path(path), MOUNTS) == wanted


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "9p"])
def test_grd_25_network_file_systems_are_known(kind: str) -> None:
    assert network_file_system(Path("/a"), f"1 0 0:1 / / rw - {kind} x rw") == kind


def test_file_system_that_nobody_tells_is_no_network_file_system() -> None:
    assert network_file_system(Path("/a"), "") is None


def test_grd_25_state_on_a_network_file_system_is_refused(state: State, tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 0:1 / {state.folder.resolve()} rw - nfs4 filer:/x rw\n")
    with pytest.raises(RefusedError, match=r"network file system \(nfs4\).*local disk"):
        Lock(state, NOW, mounts)
    with pytest.raises(RefusedError, match="nobody can tell what file system"):
        Lock(state, NOW, tmp_path / "none")
    assert not state.lock.exists()


def test_lock_that_cannot_say_who_holds_it_is_refused(state: State) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(RefusedError, match="cannot be locked: File too large"):
            Lock(state, NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    Lock(state, NOW).release()


def test_i9_lock_that_is_replaced_while_it_is_taken_is_refused(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Between opening and locking nothing can be put in the way but the call itself.
    monkeypatch.setattr("snapaudit.enforce.lock.fcntl.flock", lambda *_: state.lock.unlink())
    with pytest.raises(RefusedError, match="was replaced"):
        Lock(state, NOW)
