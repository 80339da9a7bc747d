"""Exposition: the shelf as Prometheus wants it, in the format that it asks for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from snapaudit.errors import SnapauditError
from snapaudit.model.metric import Family
from snapaudit.serve.shelf import Shelf, Standing

if TYPE_CHECKING:
    from prometheus_client import Metric


class Exposition:
    """Renders at most once a second and format, however many ask: ages are in whole seconds."""

    def __init__(self, shelf: Shelf) -> None:
        _require_client()
        self._shelf = shelf
        self._lock = threading.Lock()
        self._made: dict[str, tuple[tuple[object, ...], bytes]] = {}

    def body(self, accept: str) -> tuple[bytes, str]:
        """The metrics, and their content type by the Accept header of who asks."""
        from prometheus_client.exposition import choose_encoder

        encode, kind = choose_encoder(accept)
        with self._lock:
            now = self._shelf.standing()
            key = (id(now.families), int(now.age or 0), now.finished, now.failed, now.is_stale,
                   now.running_for is None)  # fmt: skip
            known = self._made.get(kind)
            if known is None or known[0] != key:
                known = self._made[kind] = (key, encode(_Collected(now)))
            return known[1], kind


class _Collected:
    """What the client library asks of a registry: to be collected."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        """The families of the last collection, then those about the exporter itself."""
        yield from map(_metric, self._standing.families)
        yield from _own(self._standing)


def _metric(one: Family) -> Metric:
    from prometheus_client import Metric

    made = Metric(one.name, one.help, "info" if one.is_info else "gauge", one.unit)
    for sample in one.samples:
        name = f"{one.name}_info" if one.is_info else one.name
        made.add_sample(name, dict(sample.labels), sample.value)
    return made


def _own(now: Standing) -> Iterator[Metric]:
    from prometheus_client import Metric

    attempts = Metric("snapaudit_collections", "Collections that ended, by how.", "counter")
    for result, count in (("finished", now.finished), ("failed", now.failed)):
        attempts.add_sample("snapaudit_collections_total", {"result": result}, count)
    yield attempts
    gauges = (
        ("snapaudit_up", "Whether what is served here is fresh.", float(not now.is_stale)),
        ("snapaudit_stale", "Whether what is served here is too old.", float(now.is_stale)),
        (
            "snapaudit_collection_running",
            "Whether a collection is under way.",
            float(now.running_for is not None),
        ),
        ("snapaudit_collection_age_seconds", "How old what is served here is.", now.age),
        (
            "snapaudit_collection_duration_seconds",
            "How long the last finished collection took.",
            now.took,
        ),
        (
            "snapaudit_collection_running_seconds",
            "How long the collection under way has been running.",
            now.running_for,
        ),
    )
    for name, text, value in gauges:
        if value is not None:
            one = Metric(name, text, "gauge", "seconds" if name.endswith("_seconds") else "")
            one.add_sample(name, {}, round(value, 3))
            yield one


def _require_client() -> None:
    try:
        import prometheus_client  # noqa: F401
    except ImportError as error:
        message = "serve needs the prometheus-client package: pipx install 'snapaudit[serve]'"
        raise SnapauditError(message) from error
