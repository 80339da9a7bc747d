"""Programs of ours in Go, built against what the distribution packages, and kept once built.

The folder that keeps them is that of the virtual environment, never one of the checkout's.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.beds.required import require_bed, require_program

_GOPATH = Path("/usr/share/gocode")
_LIBRARY = _GOPATH / "src/github.com/vmware/govmomi"
_DAY = 24 * 3600
_PACKAGE = "golang-github-vmware-govmomi-dev"


@cache
def built(sources: Path) -> Path:
    """The program that the Go files in a folder make; it takes a minute once, and then no time."""
    go = require_program("go")
    if not (_LIBRARY / "simulator").is_dir():
        require_bed(f"{_LIBRARY} is not there; install {_PACKAGE}")
    program = _kept() / f"{sources.name}-{_digest(sources)}"
    with _alone(program):
        if not program.exists():
            _build(go, sources, program)
    return program


def _kept() -> Path:
    if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK):
        kept = Path(sys.prefix) / "beds"
        kept.mkdir(exist_ok=True)
        return kept
    return Path(tempfile.mkdtemp(prefix="sa-go-"))


def _digest(sources: Path) -> str:
    """Of everything that the program depends on."""
    read = hashlib.sha256((_LIBRARY / "go.mod").read_bytes())
    for file in sorted(sources.glob("*.go")):
        read.update(file.name.encode() + b"\0" + file.read_bytes())
    return read.hexdigest()[:16]


@contextmanager
def _alone(program: Path) -> Iterator[None]:
    """Test runs side by side build one after the other: a build takes all there is of a machine."""
    with program.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(go: str, sources: Path, program: Path) -> None:
    fresh = program.with_suffix(".new")
    surroundings = {"GO111MODULE": "off", "GOPATH": str(_GOPATH), "GOFLAGS": ""}
    if not (os.environ.get("HOME") or os.environ.get("GOCACHE")):
        surroundings["GOCACHE"] = str(program.parent / "gocache")
    done = subprocess.run(
        [go, "build", "-o", str(fresh), "."],
        cwd=sources,
        env={**os.environ, **surroundings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{sources.name} cannot be built: {done.stderr}")
    fresh.replace(program)
    _forget_older(program)


def _forget_older(program: Path) -> None:
    """Remove what earlier sources made, unless somebody may be about to start it."""
    for other in program.parent.glob(f"{program.name.rpartition('-')[0]}-*"):
        if other.stat().st_mtime < time.time() - _DAY:
            other.unlink(missing_ok=True)
