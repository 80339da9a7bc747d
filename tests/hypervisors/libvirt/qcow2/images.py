"""Images made by QEMU's own tools, with histories drawn from a seed."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from snapaudit.hypervisors.libvirt.qcow2 import ImageSizes, LocalSource, measure

MIB = 2**20
TOOLS = ("qemu-img", "qemu-io")


def require_tools() -> None:
    """Skip with the reason where QEMU's tools are missing; fail where beds are required."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not missing:
        return
    reason = f"not installed: {', '.join(missing)} (package qemu-utils)"
    if os.environ.get("SNAPAUDIT_REQUIRE_BEDS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def run(*words: str | Path) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def create(path: Path, size: int, *options: str, backing: Path | None = None) -> Path:
    below = ("-b", backing, "-F", "qcow2") if backing is not None else ()
    chosen = ("-o", ",".join(options)) if options else ()
    run("qemu-img", "create", "-q", "-f", "qcow2", *below, *chosen, path, str(size))
    return path


def io(path: Path, *commands: str) -> None:
    words = [word for command in commands for word in ("-c", command)]
    run("qemu-io", "-t", "unsafe", "-d", "unmap", *words, path)


def snapshot(path: Path, option: str, name: str) -> None:
    run("qemu-img", "snapshot", "-q", option, name, path)


def measured(path: Path) -> ImageSizes:
    return measure(LocalSource(str(path)))


def exclusive(path: Path) -> dict[str, int]:
    return {snapshot.name: snapshot.exclusive_bytes for snapshot in measured(path).snapshots}


def used(path: Path) -> int:
    return path.stat().st_blocks * 512


def repeatable(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a history that can be repeated, nothing secret


def writes(rng: random.Random, size: int, unit: int, most: int, kinds: Sequence[str]) -> list[str]:
    """Commands for a few changes to a disk, aligned to the unit, each at most so many units."""
    commands = []
    for _ in range(rng.randint(1, 6)):
        length = rng.randint(1, most) * unit
        offset = rng.randrange(0, max(1, size - length) // unit) * unit
        kind = rng.choice(kinds).format(pattern=rng.randint(1, 255))
        commands.append(f"{kind} {offset} {length}")
    return commands


DATA = "write -P {pattern}"
CHANGES = (DATA, DATA, DATA, "discard", "write -z", "write -z -u")


def live_through(
    path: Path, seed: int, *, size: int, unit: int, most: int, kinds: Sequence[str] = CHANGES
) -> None:
    """Writes, snapshots, returns to snapshots and deletions; at least two snapshots remain."""
    rng = repeatable(seed)
    names: list[str] = []
    for step in range(rng.randint(5, 8)):
        io(path, *writes(rng, size, unit, most, kinds))
        match rng.choice(("create", "create", "create", "return", "delete", "none")):
            case "return" if names:
                snapshot(path, "-a", rng.choice(names))
            case "delete" if len(names) > 2:
                snapshot(path, "-d", names.pop(rng.randrange(len(names))))
            case "create":
                names.append(f"s{step}")
                snapshot(path, "-c", names[-1])
    for name in ("last", "least")[len(names) :]:
        snapshot(path, "-c", name)
        io(path, *writes(rng, size, unit, most, kinds))
