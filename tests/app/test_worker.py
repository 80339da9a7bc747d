"""The server that reading processes are forked off, while it still imports what they need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_SLOW = "import pathlib, time; pathlib.Path('begun').touch(); time.sleep(0.5)"
_PROGRAM = """
import multiprocessing, os, pathlib, signal, threading, time
from datetime import timedelta
from snapaudit.app.worker import work_within

def read():
    print(work_within(timedelta(seconds=30), callable, print, threading.Event()))

signal.signal(signal.SIGINT, lambda *_: None)
multiprocessing.set_forkserver_preload(["slow"])
reading = threading.Thread(target=read)
reading.start()
while not pathlib.Path("begun").exists():
    time.sleep(0.01)
os.killpg(0, signal.SIGINT)
reading.join()
"""


def test_interrupt_while_the_server_starts_is_the_parents_alone_to_answer(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(_SLOW)
    path = os.pathsep.join((str(tmp_path), *filter(None, sys.path)))
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True\n", "")
