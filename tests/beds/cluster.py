"""A Dask cluster on loopback: a scheduler and workers, each a group of processes of our own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Self

from tests.beds.processes import wait_until
from tests.canaries.search import in_folder

_WITHIN = 60.0


class Cluster:
    """A scheduler; ``folder`` with cacert.pem, servercert.pem, serverkey.pem lets it speak TLS."""

    def __init__(self, folder: Path | None = None) -> None:
        self._tls = () if folder is None else _tls(folder)
        self._scheme = "tcp" if folder is None else "tls"
        self._started = list[subprocess.Popen[bytes]]()
        self.address = ""

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="sa-dask-"))
        self._said = self._folder / "scheduler.json"
        where = f"{self._scheme}://127.0.0.1:0"
        self.scheduler = self._start(
            "scheduler", "--host", where, "--no-dashboard", "--scheduler-file", str(self._said)
        )
        wait_until(self._is_up, _WITHIN, "the Dask scheduler is up")
        return self

    def _is_up(self) -> bool:
        with suppress(OSError, ValueError):
            self.address = json.loads(self._said.read_text())["address"]
        return bool(self.address)

    def worker(self, threads: int = 4, **resources: int) -> subprocess.Popen[bytes]:
        """Start a worker under its nanny, with so many endpoints at once and of certain sites."""
        told = " ".join(f"{name}={count}" for name, count in resources.items())
        given = ("--resources", told) if told else ()
        numbers = ("--nworkers", "1", "--nthreads", str(threads), "--no-dashboard")
        where = ("--local-directory", str(self._folder))
        return self._start("worker", self.address, *numbers, *where, *given)

    def _start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{what}-{len(self._started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{what}", *words, *self._tls],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End a member at once, with everything it started, as a power cut does."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(_WITHIN)

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._started):
            self.kill(process)
        # Here are their logs, and here workers put aside what they have no memory for.
        found = in_folder(self._folder)
        rmtree(self._folder, ignore_errors=True)
        assert found == []


def _tls(folder: Path) -> tuple[str, ...]:
    names = {"ca-file": "cacert.pem", "cert": "servercert.pem", "key": "serverkey.pem"}
    pairs = ((f"--tls-{key}", str(folder / name)) for key, name in names.items())
    return tuple(word for pair in pairs for word in pair)
