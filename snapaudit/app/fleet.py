"""Endpoints side by side: who is next, how many at once, and what becomes of each."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from snapaudit.app.reading import Secrets, collect, missing
from snapaudit.app.worker import preload
from snapaudit.config.settings import ProcessExecutor
from snapaudit.errors import SnapauditError
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.ports import DONE, FAILED, WAITING, Progress, Step

INTERRUPTED = "interrupted"
# Most of a reading is waiting for the other side.
_A_CORE = 4
_FEWEST, _MOST = 8, 64
# What a reading of a few thousand machines takes for itself, beside what all processes share.
_BYTES = 96 * 2**20
_SILENT = 2.0
_LOOK_EVERY = 0.2
SecretsOf = Callable[[Endpoint], Secrets]


class Readers(Protocol):
    """Who reads. An executor of any kind stands behind it, here or elsewhere."""

    @property
    def at_once(self) -> int:
        """How many endpoints may be under way, those that wait for their turn included."""
        ...

    def read(
        self,
        endpoint: Endpoint,
        secrets_of: SecretsOf,
        now: datetime,
        progress: Progress,
        stop: threading.Event,
    ) -> Inventory:
        """The endpoint's inventory, ``missing`` where there is none. Raises SnapauditError."""
        ...


def read_fleet(
    endpoints: Sequence[Endpoint],
    now: datetime,
    secrets_of: SecretsOf,
    progress: Progress,
    stop: threading.Event,
    readers: Readers,
) -> tuple[Inventory, ...]:
    """One inventory an endpoint, by name. Setting ``stop`` makes missing what is not yet read."""

    def one(endpoint: Endpoint) -> Inventory:
        seen = _one(endpoint, now, secrets_of, progress, stop, readers)
        progress(_last_step(seen))
        return seen

    order = fair(endpoints)
    for endpoint in order:
        progress(Step(endpoint=endpoint.name, phase=WAITING))
    with ThreadPoolExecutor(max(1, min(readers.at_once, len(order)))) as threads:
        try:
            return tuple(sorted(threads.map(one, order), key=lambda seen: seen.endpoint))
        except KeyboardInterrupt:
            stop.set()
            threads.shutdown(cancel_futures=True)
            raise


def fair(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """Who may take longest begins first, so that the end of a run does not wait for one alone."""
    return sorted(endpoints, key=lambda one: (-one.deadline, one.name))


def _one(
    endpoint: Endpoint,
    now: datetime,
    secrets_of: SecretsOf,
    progress: Progress,
    stop: threading.Event,
    readers: Readers,
) -> Inventory:
    if stop.is_set():
        return missing(endpoint, INTERRUPTED, now)
    try:
        return readers.read(endpoint, secrets_of, now, progress, stop)
    except SnapauditError as error:
        return missing(endpoint, str(error), now)


def _last_step(seen: Inventory) -> Step:
    state, reason = seen.coverage.state, seen.coverage.reason
    phase = FAILED if state is CoverageState.MISSING else DONE
    machines = len(seen.virtual_machines)
    return Step(endpoint=seen.endpoint, phase=phase, seen=machines, reason=reason)


class LocalReaders:
    """Processes of this machine, as many as it can bear."""

    def __init__(self, executor: ProcessExecutor, endpoints: Sequence[Endpoint]) -> None:
        preload(endpoint.kind for endpoint in endpoints)
        self._turns = Turns(*limits(executor, cores(), free_memory()))

    @property
    def at_once(self) -> int:
        """As many as may ever be at work."""
        return self._turns.most

    def read(
        self,
        endpoint: Endpoint,
        secrets_of: SecretsOf,
        now: datetime,
        progress: Progress,
        stop: threading.Event,
    ) -> Inventory:
        """See `Readers`. The password is fetched when it is the endpoint's turn."""
        with self._turns.turn(stop) as heard:
            if stop.is_set():
                return missing(endpoint, INTERRUPTED, now)

            def tell(step: Step) -> None:
                heard()
                progress(step)

            return collect(endpoint, secrets_of(endpoint), now, tell, stop)


class Turns:
    """How many may be at work: one who has long been silent waits, and does not count.

    ``at_once`` bounds those that were heard of lately, ``most`` all. So hung endpoints delay the
    others by moments, and a machine with few cores is not given more work than it can do in time.
    """

    def __init__(self, at_once: int, most: int, silent: float = _SILENT) -> None:
        self.at_once, self.most, self._silent = at_once, most, silent
        self._heard: dict[object, float] = {}
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, stop: threading.Event) -> Iterator[Callable[[], None]]:
        """Waits for a turn, or for ``stop``; gives what is to be called at each sign of life."""
        key = object()
        with self._changed:
            while not self._has_room() and not stop.is_set():
                self._changed.wait(_LOOK_EVERY)
            self._heard[key] = time.monotonic()
        try:
            yield lambda: self._heard.update({key: time.monotonic()})
        finally:
            with self._changed:
                del self._heard[key]
                self._changed.notify()

    def _has_room(self) -> bool:
        since = time.monotonic() - self._silent
        heard = [at for at in list(self._heard.values()) if at > since]
        return len(self._heard) < self.most and len(heard) < self.at_once


def limits(executor: ProcessExecutor, cores: int, free_bytes: int | None) -> tuple[int, int]:
    """How many readings may be active, and how many there may be with those that only wait."""
    if executor.workers is not None:
        return executor.workers, executor.workers
    bearable = _MOST if free_bytes is None else max(1, free_bytes // _BYTES)
    most = min(_MOST, bearable)
    return min(max(_FEWEST, _A_CORE * cores), most), most


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> int | None:
    """What can be taken without pressing anything out, in bytes; None where it is not told."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kib = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kib[0]) * 1024 if kib else None
