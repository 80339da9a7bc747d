"""The state folder: made private, and refused where somebody else could have written."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from snapaudit.codec.files import Disk, replace_file
from snapaudit.enforce.state import State, prepare, store
from snapaudit.errors import RefusedError, SnapauditError


def test_s6_state_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    state = State(tmp_path / "a" / "state")
    prepare(state)
    prepare(state)
    for folder in (state.folder, state.plans, state.sealed):
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
def test_s6_state_folder_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    for inner in ("", "plans", "sealed"):
        state = State(tmp_path / f"state-{inner}")
        prepare(state)
        (state.folder / inner).chmod(mode)
        with pytest.raises(RefusedError, match=r"others may write to it.*chmod go-w"):
            prepare(state)


def test_s6_state_folder_that_is_a_link_or_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").touch()
    with pytest.raises(RefusedError, match="is a symbolic link, not a folder"):
        prepare(State(tmp_path / "link"))
    with pytest.raises(RefusedError, match="cannot be used"):
        prepare(State(tmp_path / "file"))
    assert list((tmp_path / "real").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_s6_state_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    prepare(state)
    os.chown(state.folder, 65534, 65534)
    with pytest.raises(RefusedError, match="another user"):
        prepare(state)


def test_readable_folder_is_no_harm(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    prepare(state)
    state.folder.chmod(0o755)
    prepare(state)


def test_stored_file_is_whole_private_and_alone(state: State) -> None:
    body = bytes(range(256)) * 300_000
    store(state.holds, body)
    store(state.holds, body + b"x")
    assert state.holds.read_bytes() == body + b"x"
    assert state.holds.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in state.folder.glob("*hold*")] == ["holds.json"]


@pytest.mark.parametrize("fails_at", ["write", "sync"])
def test_r6_full_disk_leaves_the_old_file_and_nothing_else(state: State, fails_at: str) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    store(state.holds, b"old")
    disk = Disk(write=fail) if fails_at == "write" else Disk(sync=fail)
    with pytest.raises(OSError, match="No space left"):
        replace_file(state.holds, b"new", disk)
    assert state.holds.read_bytes() == b"old"
    assert [path.name for path in state.folder.glob(".*")] == []


def test_file_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SnapauditError, match=r"none/holds\.json: cannot be written: No such file"):
        store(State(tmp_path / "none").holds, b"")
