"""Score: how much a snapshot looks like a makeshift backup, with every point accounted for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from snapaudit.model.inventory import Snapshot
from snapaudit.rules.purposes.folding import fold
from snapaudit.rules.purposes.lexicon import Topic, Word
from snapaudit.rules.purposes.weights import Weights
from snapaudit.rules.quantity import Unknown

_DATE_OR_COUNTER = re.compile(r"[0-9]{4}|[0-9][./-][0-9]|[0-9]$")
_SCRIPT_WORDS = frozenset(
    ("svc", "service", "script", "cron", "batch", "automation", "scheduler", "backup", "bkp")
)
Points = tuple[int, str]


@dataclass(frozen=True, slots=True, eq=False)
class Company:
    """What the machine of a snapshot adds to the picture; ``disk_bytes`` None: not known."""

    snapshots: int
    rhythm: str | None
    disk_bytes: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Clues:
    """Everything the score looks at."""

    snapshot: Snapshot
    age: timedelta | Unknown
    topics: Mapping[Topic, Word]
    has_ticket: bool
    expires_at: datetime | Unknown | None
    now: datetime
    company: Company


def score(clues: Clues, weights: Weights) -> tuple[int, tuple[str, ...]]:
    """0 to 100 and the reasons, each beginning with its points."""
    evidence = [*_for(clues, weights), *_against(clues, weights)]
    total = min(100, max(0, sum(points for points, _ in evidence)))
    reasons = [f"{points:+d} {sentence}" for points, sentence in evidence]
    if total >= weights.doubt:
        reasons.append(_missing(clues))
    return total, tuple(reasons)


def _for(clues: Clues, weights: Weights) -> Iterator[Points]:
    topics, company = clues.topics, clues.company
    if word := topics.get(Topic.BACKUP):
        yield weights.backup_word, f"says {word.text.strip('*')!r} ({word.language})"
    if word := topics.get(Topic.KEEP):
        yield weights.keep_word, f"asks to be kept: {word.text.strip('*')!r} ({word.language})"
    yield from _by_age(clues.age, weights)
    yield from _by_count(company.snapshots, weights)
    if company.rhythm:
        yield weights.regular_spacing, f"regular spacing: {company.rhythm}"
    yield from _by_snapshot(clues, weights)


def _by_age(age: timedelta | Unknown, weights: Weights) -> Iterator[Points]:
    if isinstance(age, Unknown):
        return
    for limit, text, points in weights.age:
        if age > limit:
            yield points, f"older than {text}"
            return


def _by_count(count: int, weights: Weights) -> Iterator[Points]:
    for limit, points in weights.count:
        if count >= limit:
            yield points, f"{limit} or more snapshots on the machine"
            return


def _by_snapshot(clues: Clues, weights: Weights) -> Iterator[Points]:
    snapshot, disk = clues.snapshot, clues.company.disk_bytes
    if _DATE_OR_COUNTER.search(snapshot.name):
        yield weights.date_or_counter, "a date or counter in the name"
    if snapshot.creator and not _SCRIPT_WORDS.isdisjoint(fold(snapshot.creator).split()):
        yield weights.script_account, "made by a service or script account"
    if disk and snapshot.size_bytes and snapshot.size_bytes > disk * weights.large_share:
        yield weights.large, f"larger than {weights.large_share:.0%} of the disks"


def _against(clues: Clues, weights: Weights) -> Iterator[Points]:
    if clues.has_ticket:
        yield weights.ticket, "names a ticket (whether it is open is not known)"
    is_young = not isinstance(clues.age, Unknown) and clues.age < weights.young_age
    if is_young and Topic.BEFORE in clues.topics:
        yield weights.young_change, "before a change, and young"
    if isinstance(clues.expires_at, datetime) and clues.expires_at > clues.now:
        yield weights.unexpired, "its declared last day has not passed"


def _missing(clues: Clues) -> str:
    missing = ["earlier snapshots of the machine", "reverts", "backups made elsewhere"]
    if isinstance(clues.age, Unknown):
        missing.insert(0, "its age")
    if clues.snapshot.creator is None:
        missing.insert(0, "its creator")
    if clues.snapshot.size_bytes is None:
        missing.append("its size")
    return f"not known: {', '.join(missing)}"
