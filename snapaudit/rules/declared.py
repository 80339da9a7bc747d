"""Declared: snapshots whose own text says how long they are needed, as far as a site honours it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from snapaudit.rules.acceptance import SnapshotPlace
from snapaudit.rules.scene import SnapshotScene


def declared_keeps(
    scenes: Iterable[SnapshotScene], limit: timedelta | None
) -> Iterator[tuple[SnapshotPlace, str]]:
    """The snapshots that are kept by their own words now, each with why, in a sentence.

    A last day counts to its end, and never longer than ``limit`` from the snapshot's creation; None
    honours no day at all. Without a creation time nothing is known to be within the limit.
    """
    if limit is None:
        return
    for scene in scenes:
        sentence = _sentence(scene, limit)
        if sentence is not None:
            endpoint = scene.machine.endpoint.inventory.endpoint
            yield (endpoint, scene.machine.vm.id, scene.snapshot.id), sentence


def _sentence(scene: SnapshotScene, limit: timedelta) -> str | None:
    told, taken_at = scene.expires_at, scene.snapshot.created_at
    now = scene.machine.endpoint.now
    if not isinstance(told, datetime) or taken_at is None or taken_at > now:
        return None
    if now >= min(told, taken_at + limit):
        return None
    last_day = f"{told - timedelta(days=1):%Y-%m-%d}"
    if told <= taken_at + limit:
        return f"its own text keeps it until {last_day}"
    return (
        f"its own text keeps it until {last_day}; honoured until {taken_at + limit:%Y-%m-%d %H:%M}"
        f" UTC, {limit.days} days after it was taken"
    )
