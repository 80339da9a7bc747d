"""Endpoints read by the workers of a Dask cluster, each by one that stands at its site.

The work is the one of every other executor. What is added: passwords are fetched here and go with
the work, and a cluster that loses workers, or is gone itself, ends no run and hides no endpoint.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, wait
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import uuid4

from snapaudit import __version__
from snapaudit.app.fleet import INTERRUPTED, Readers, SecretsOf
from snapaudit.app.reading import Secrets, collect, missing
from snapaudit.config.settings import DaskExecutor
from snapaudit.errors import UsageError
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.ports import Progress, Step
from snapaudit.redaction import redacted

_LOOK_EVERY = 0.5
_CONNECT_SECONDS = 15
# A worker that was restarted is back within seconds; so is a scheduler.
GRACE_SECONDS = 20.0
# A worker that vanished without a word is given up by the scheduler after some time.
_STALL_SECONDS = 60.0
_MOST_UNDER_WAY = 512
_NO_SITE = None


@contextmanager
def cluster(
    executor: DaskExecutor, endpoints: Sequence[Endpoint], progress: Progress
) -> Iterator[Readers]:
    """The cluster as readers. One that cannot be reached reads nothing, and says so of each."""
    distributed = _distributed()
    try:
        client = distributed.Client(
            executor.scheduler,
            security=_security(distributed, executor),
            timeout=_CONNECT_SECONDS,
            set_as_default=False,
            name="snapaudit",
        )
    except (OSError, TimeoutError, ValueError) as error:
        yield Unreached(f"the Dask scheduler at {executor.scheduler} cannot be reached: {error}")
        return
    readers = ClusterReaders(client, endpoints, progress)
    try:
        yield readers
    finally:
        readers.close()


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        message = "executor: {kind: dask} needs the extra: pipx install 'snapaudit[dask]'"
        raise UsageError(message) from None
    # What happens to the cluster is told with each endpoint; its own log repeats it at length.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return distributed


def _security(distributed: Any, executor: DaskExecutor) -> Any:
    if executor.tls_ca_file is None:
        return None
    return distributed.Security(
        tls_ca_file=executor.tls_ca_file,
        tls_client_cert=executor.tls_client_cert,
        tls_client_key=executor.tls_client_key,
        require_encryption=True,
    )


class Unreached:
    """A cluster that is not there."""

    at_once = 1

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def read(
        self,
        endpoint: Endpoint,
        secrets_of: SecretsOf,
        now: datetime,
        progress: Progress,
        stop: threading.Event,
    ) -> Inventory:
        """Nothing, and why. No password is fetched for it."""
        del secrets_of, progress, stop
        return missing(endpoint, self._reason, now)


class ClusterReaders:
    """The workers of a cluster that is connected."""

    at_once = _MOST_UNDER_WAY

    def __init__(self, client: Any, endpoints: Sequence[Endpoint], progress: Progress) -> None:
        self._client = client
        self._longest = max((one.deadline.total_seconds() for one in endpoints), default=0)
        self._topic = f"snapaudit-{uuid4()}"
        self._alive_at = time.monotonic()
        sites = sorted({one.site for one in endpoints if one.site is not None})
        self._executors: dict[str | None, Executor] = {
            _NO_SITE: client.get_executor(pure=False),
            **{site: client.get_executor(pure=False, resources={site: 1}) for site in sites},
        }
        self._served_at = dict.fromkeys(self._executors, self._alive_at)
        self._closed = threading.Event()
        client.subscribe_topic(self._topic, self._hearer(progress))
        threading.Thread(target=self._look_around, daemon=True).start()

    def read(
        self,
        endpoint: Endpoint,
        secrets_of: SecretsOf,
        now: datetime,
        progress: Progress,
        stop: threading.Event,
    ) -> Inventory:
        """See `Readers`."""
        del progress
        work = (__version__, self._topic, endpoint, secrets_of(endpoint), now)
        future = self._executors[endpoint.site].submit(collect_on_worker, *work)
        seen = outcome(future, endpoint, now, stop, lambda: self._lost(endpoint))
        self._alive_at = time.monotonic()
        return seen

    def _lost(self, endpoint: Endpoint) -> str | None:
        """Why nothing is to be expected for this endpoint any more, if that is so."""
        now = time.monotonic()
        if now - self._served_at[endpoint.site] > GRACE_SECONDS:
            where = f" of the site {endpoint.site}" if endpoint.site is not None else ""
            return f"the Dask scheduler has no worker{where}, or does not answer"
        if now - self._alive_at > self._longest + _STALL_SECONDS:
            return "no worker of the Dask cluster has answered for longer than any deadline"
        return None

    def _look_around(self) -> None:
        """Which sites have workers. A scheduler that hangs holds this thread and no other."""
        while not self._closed.wait(_LOOK_EVERY):
            with suppress(Exception):  # whatever it is: the sites are not served meanwhile
                workers = self._client.scheduler_info()["workers"].values()
                names = {name for worker in workers for name in worker["resources"]}
                at = time.monotonic()
                served = [s for s in self._executors if (s in names if s else bool(workers))]
                self._served_at.update(dict.fromkeys(served, at))

    def _hearer(self, progress: Progress) -> Callable[[tuple[float, dict[str, Any]]], None]:
        def hear(event: tuple[float, dict[str, Any]]) -> None:
            self._alive_at = time.monotonic()
            progress(Step(**event[1]["step"]))

        return hear

    def close(self) -> None:
        """Let the cluster go on without us; what it still reads for us ends at its deadline."""
        self._closed.set()
        self._client.close(timeout=2)


def outcome(
    future: Future[Inventory],
    endpoint: Endpoint,
    now: datetime,
    stop: threading.Event,
    lost: Callable[[], str | None],
) -> Inventory:
    """What the future comes to, missing when it is stopped, lost or brings anything else."""
    while not stop.is_set():
        wait([future], _LOOK_EVERY)
        if future.done():
            return _result(future, endpoint, now)
        reason = lost()
        if reason is not None:
            future.cancel()
            return missing(endpoint, reason, now)
    future.cancel()
    return missing(endpoint, INTERRUPTED, now)


def _result(future: Future[Inventory], endpoint: Endpoint, now: datetime) -> Inventory:
    try:
        seen = future.result()
    except CancelledError:
        return missing(endpoint, "the cluster gave its reading up", now)
    except Exception as error:  # noqa: BLE001 - whatever the executor says, it was not read
        reason = redacted(f"no worker could read it: {type(error).__name__}: {error}")
        return missing(endpoint, reason, now)
    if not isinstance(seen, Inventory) or seen.endpoint != endpoint.name:
        return missing(endpoint, "internal error: the worker answered something else", now)
    return seen


def collect_on_worker(
    version: str, topic: str, endpoint: Endpoint, secrets: Secrets, now: datetime
) -> Inventory:
    """`collect` as a worker of the cluster runs it: of the same version, telling how far it is."""
    if version != __version__:
        reason = f"its worker has snapaudit {__version__}, and {version} asks: install the same"
        return missing(endpoint, reason, now)
    from distributed import get_worker

    worker = get_worker()

    def tell(step: Step) -> None:
        worker.log_event(topic, {"step": asdict(step)})

    return collect(endpoint, secrets, now, tell)
