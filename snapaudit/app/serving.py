"""Serve: a background collection and a web side, started and ended together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from snapaudit.errors import UsageError
from snapaudit.model.check import Checked
from snapaudit.report.check.metrics import families
from snapaudit.serve.keeper import Keeper
from snapaudit.serve.shelf import Shelf
from snapaudit.serve.web import Exporter

_LOOPBACK = ("localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where to listen, how often to collect, and from which age on data is stale."""

    host: str
    port: int
    interval: timedelta
    stale_after: timedelta
    is_public: bool = False


def refuse_public(service: Service) -> None:
    """Raise UsageError for an address that others reach, unless that was asked for."""
    is_own = service.host in _LOOPBACK or service.host.startswith("127.")
    if not is_own and not service.is_public:
        raise UsageError(
            f"--listen {service.host}: others could read it, without TLS and password; listen on "
            "127.0.0.1 behind a reverse proxy, or add --public"
        )


@contextmanager
def served(
    service: Service,
    collect: Callable[[threading.Event], Checked],
    tell: Callable[[str], None],
) -> Iterator[Exporter]:
    """Serve while the block runs; in the end the collection under way is ended too."""
    refuse_public(service)
    shelf = Shelf(stale_after=service.stale_after.total_seconds(), seconds=time.monotonic)
    exporter = Exporter(service.host, service.port, shelf)
    keeper = Keeper(
        lambda stop: families(collect(stop)),
        shelf,
        interval=service.interval.total_seconds(),
        tell=tell,
    )
    web = threading.Thread(target=exporter.serve_forever, name="web", daemon=True)
    keeper.start()
    web.start()
    try:
        yield exporter
    finally:
        keeper.stop()
        exporter.shutdown()
        exporter.server_close()
        keeper.join()
