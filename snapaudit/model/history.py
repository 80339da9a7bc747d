"""History: what earlier runs saw, read back: runs, series over time, and what has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from snapaudit.model.endpoint import SecretReference
from snapaudit.model.finding import EndpointCoverage, Subject, Summary
from snapaudit.model.inventory import ByteRange

DIFF_SCHEMA = "snapaudit/diff@1"
RUNS_SCHEMA = "snapaudit/runs@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Where the history lies, and for how many days it keeps what.

    ``url`` None: a file in the state folder. ``days`` is for everything about every snapshot;
    then the last run of each week stays as numbers, after ``weekly_days`` that of each month.
    """

    url: str | None = None
    password: SecretReference | None = None
    days: int = 400
    weekly_days: int = 1100


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One remembered run. ``has_details`` False: only its numbers are left.

    ``matches`` are the findings of each rule that was in force, 0 included, exempt ones too.
    """

    id: int
    audited_at: datetime
    tool_version: str
    rules_digest: str
    coverage: tuple[EndpointCoverage, ...]
    summary: Summary
    matches: Mapping[str, int] = field(default_factory=dict)
    has_details: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Remembered runs, the newest first. ``place`` is where they lie, without any password."""

    schema: str = RUNS_SCHEMA
    place: str
    runs: tuple[RunRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How full a datastore was. ``offered_bytes``: what the offered snapshots on it would free.

    ``held_bytes`` is what snapshots held of it, a lower bound where some size was unknown.
    """

    at: datetime
    capacity_bytes: int | None
    free_bytes: int | None
    held_bytes: int | None = None
    offered_bytes: ByteRange | None = None

    @property
    def used_bytes(self) -> int | None:
        """Capacity without what is free, where both are known."""
        if self.capacity_bytes is None or self.free_bytes is None:
            return None
        return self.capacity_bytes - self.free_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DatastoreSeries:
    """The levels of one datastore, oldest first, under its latest name."""

    endpoint: str
    id: str
    name: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one subject.

    ``rules`` are those of its findings: now, or for what is resolved those it had. Only snapshots
    and files have sizes; None where unknown, or where it was not there.
    """

    subject: Subject
    rules: tuple[str, ...]
    size_bytes: int | None
    previous_size_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """An endpoint of which not everything can be compared, and why. It resolves nothing."""

    endpoint: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What changed between two moments, by identity and not by name.

    ``new``: a snapshot that was not there, or a finding's subject that had none. ``resolved``: it
    is gone, or its findings are. ``grown``: a snapshot or file that was there and is larger.
    ``back``: as new, and it had been there before that. ``worse``: it had findings, and has one
    more or a graver one, which its ``rules`` name. ``unseen`` is no part of any of them.
    """

    schema: str = DIFF_SCHEMA
    since: datetime
    until: datetime
    new: tuple[Change, ...]
    resolved: tuple[Change, ...]
    grown: tuple[Change, ...]
    back: tuple[Change, ...]
    unseen: tuple[Unseen, ...] = ()
    worse: tuple[Change, ...] = ()

    def about(self, is_wanted: Callable[[str], bool]) -> Diff:
        """What of it is about the endpoints of these names."""

        def chosen(many: tuple[Change, ...]) -> tuple[Change, ...]:
            return tuple(one for one in many if is_wanted(one.subject.endpoint))

        return replace(
            self,
            new=chosen(self.new),
            resolved=chosen(self.resolved),
            grown=chosen(self.grown),
            back=chosen(self.back),
            worse=chosen(self.worse),
            unseen=tuple(one for one in self.unseen if is_wanted(one.endpoint)),
        )


def history_file(state: Path) -> Path:
    """The file of the history in a state folder."""
    return state / "history.db"
