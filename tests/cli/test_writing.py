"""Where results are written: files whole or not at all, and what is no file as it is."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from snapaudit.cli.writing import write_file
from tests.cli.running import snapaudit


def test_named_pipe_is_written_into_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=write_file, args=(pipe, b"result"))
    writer.start()
    assert pipe.read_bytes() == b"result"
    writer.join()
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a device")
def test_device_is_written_into_and_stays_one(tmp_path: Path) -> None:
    null = tmp_path / "null"
    try:
        os.mknod(null, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        write_file(null, b"result")
    except OSError as error:
        pytest.skip(f"devices cannot be made or used here: {error}")
    assert stat.S_ISCHR(null.stat().st_mode)


def test_link_stays_one_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"a longer text than the result")
    link = tmp_path / "link"
    link.symlink_to("there")
    write_file(link, b"result")
    assert link.is_symlink()
    assert (tmp_path / "there").read_bytes() == b"result"


def test_full_disk_is_a_failure_and_a_place_that_is_none_wrong_usage(tmp_path: Path) -> None:
    full = snapaudit("rules", "list", "-o", "/dev/full", cwd=tmp_path)
    assert (full.code, full.out) == (1, "")
    assert "/dev/full: cannot be written: No space left on device" in full.err
    assert snapaudit("rules", "list", "-o", "/dev/null/x", cwd=tmp_path).code == 2
