"""Programs of ours in Go, built against what the distribution packages, and kept once built."""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path

from tests.beds.kept import alone, forget_older, kept
from tests.beds.required import require_bed, require_program

_GOPATH = Path("/usr/share/gocode")
_LIBRARY = _GOPATH / "src/github.com/vmware/govmomi"
_PACKAGE = "golang-github-vmware-govmomi-dev"


@cache
def built(sources: Path) -> Path:
    """The program that the Go files in a folder make; it takes a minute once, and then no time."""
    go = require_program("go")
    if not (_LIBRARY / "simulator").is_dir():
        require_bed(f"{_LIBRARY} is not there; install {_PACKAGE}")
    program = kept() / f"{sources.name}-{_digest(sources)}"
    with alone(sources.name):
        if not program.exists():
            _build(go, sources, program)
    return program


def _digest(sources: Path) -> str:
    """Of everything that the program depends on."""
    read = hashlib.sha256((_LIBRARY / "go.mod").read_bytes())
    for file in sorted(sources.glob("*.go")):
        read.update(file.name.encode() + b"\0" + file.read_bytes())
    return read.hexdigest()[:16]


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
    forget_older(f"{sources.name}-*")
