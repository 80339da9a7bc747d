"""The program as a user runs it: a process of its own, with its exit code and both streams."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    def has_no_traceback(self) -> bool:
        return "Traceback" not in self.out + self.err


def snapaudit(*arguments: str, cwd: Path, **environ: str) -> Ran:
    """Run it in a folder; nothing of the caller's own configuration reaches it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "snapaudit", *arguments],
        cwd=cwd,
        env={**kept, "HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd), **environ},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def write_config(folder: Path, *endpoints: str) -> Path:
    path = folder / "snapaudit.yaml"
    lines = "".join(f"  - {endpoint}\n" for endpoint in endpoints)
    path.write_text(f"version: 1\nendpoints:\n{lines}", encoding="utf-8")
    return path
