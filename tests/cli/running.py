"""The program as a user runs it: a process of its own, with its exit code and both streams."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.beds.processes import wait_until
from tests.canaries.search import expect_none
from tests.cli import forking

_WITHIN = 120
_OF_THE_INTERPRETER = ("PYTHON", "LANG", "LC_")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        expect_none(self.out, "stdout")
        expect_none(self.err, "stderr")

    def has_no_traceback(self) -> bool:
        return "Traceback" not in self.out + self.err


def environment(cwd: Path, environ: dict[str, str]) -> dict[str, str]:
    """Little more than the way to programs; nothing of the caller's own configuration."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd), **environ}


def ended(process: subprocess.Popen[str]) -> Ran:
    """What a process that is under way has said at its end."""
    out, err = process.communicate(timeout=_WITHIN)
    return Ran(process.returncode, out, err)


def interrupted_after(seconds: float, *arguments: str, cwd: Path) -> Ran:
    """As `snapaudit`, with Ctrl-C for it and all its processes after so long."""
    process = subprocess.Popen(
        [sys.executable, "-m", "snapaudit", *arguments],
        cwd=cwd,
        env=environment(cwd, {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    ran = ended(process)
    wait_until(lambda: not _exists(process.pid), 5, "the processes it started end")
    return ran


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def snapaudit(*arguments: str, cwd: Path, **environ: str) -> Ran:
    """Run it in a folder; nothing of the caller's own configuration reaches it.

    It is forked off a process that has imported it, unless the interpreter itself is told
    something (``PYTHONPATH``, ``LC_ALL``) or ``SNAPAUDIT_TESTS_FORK=0`` says otherwise.
    """
    is_told = any(name.startswith(_OF_THE_INTERPRETER) for name in environ)
    if is_told or os.environ.get("SNAPAUDIT_TESTS_FORK") == "0":
        return from_nothing(*arguments, cwd=cwd, **environ)
    code, out, err = forking.run("snapaudit", arguments, cwd, environment(cwd, environ), _WITHIN)
    return Ran(code, out.decode(), err.decode())


def from_nothing(*arguments: str, cwd: Path, **environ: str) -> Ran:
    """The same by an interpreter that is started for it, as users have it."""
    done = subprocess.run(
        [sys.executable, "-m", "snapaudit", *arguments],
        cwd=cwd,
        env=environment(cwd, environ),
        capture_output=True,
        encoding="utf-8",
        timeout=_WITHIN,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def write_config(folder: Path, *endpoints: str) -> Path:
    path = folder / "snapaudit.yaml"
    lines = "".join(f"  - {endpoint}\n" for endpoint in endpoints)
    path.write_text(f"version: 1\nendpoints:\n{lines}", encoding="utf-8")
    return path
