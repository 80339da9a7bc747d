"""What becomes of a run, and of the processes that read for it, when it is ended from outside."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.beds.processes import belonging_to, wait_until


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_grd_27_run_that_is_ended_leaves_no_process_behind(
    tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        port = silent.getsockname()[1]
        line = f"kind: libvirt, url: 'qemu+tcp://127.0.0.1:{port}/system', deadline: 3600s"
        entries = "".join(f"  - {{name: hung-{number}, {line}}}\n" for number in range(20))
        config = tmp_path / "snapaudit.yaml"
        config.write_text(f"version: 1\nendpoints:\n{entries}")
        process = subprocess.Popen(
            [sys.executable, "-m", "snapaudit", "check", "-v"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "SNAPAUDIT_CONFIG": str(config)},
            text=True,
        )
        assert process.stderr is not None
        while "connecting" not in (said := process.stderr.readline()):
            assert said, "the run ended before it began to read"
        process.send_signal(sent)
        process.stderr.read()
        assert process.wait(60) == code
        process.stderr.close()
    wait_until(lambda: not belonging_to(tmp_path), 30, "every process of the run has ended")
