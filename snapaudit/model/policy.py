"""What counts as a finding: severities, rules and their thresholds, environments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from snapaudit.errors import Place


class Severity(StrEnum):
    """How bad a finding is; later is worse."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 2 for critical: for sorting and comparing."""
        return tuple(Severity).index(self)


class SubjectKind(StrEnum):
    """What a rule can be about."""

    SNAPSHOT = "snapshot"
    VIRTUAL_MACHINE = "virtual-machine"
    DATASTORE = "datastore"
    FILE = "file"
    ENDPOINT = "endpoint"


class Remedy(StrEnum):
    """What enforcement could do about a finding."""

    DELETE_SNAPSHOT = "delete-snapshot"
    CONSOLIDATE = "consolidate"


class Mode(StrEnum):
    """How far a rule's findings go: told, announced with a grace period, offered in a plan."""

    REPORT = "report"
    MARK = "mark"
    APPLY = "apply"


Bound = timedelta | int | float | bool | str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One fact held against one bound: ``age over 3d``."""

    fact: str
    operator: str
    bound: Bound


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Holds when every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """Holds when at least one part holds."""

    parts: tuple[Condition, ...]


Condition = Comparison | All | AnyOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, as its file says it. ``levels`` maps each grade to its condition.

    ``environment_levels`` replaces them for the machines of an environment. ``grace`` is how long
    a finding of mode ``mark`` is announced before it may be acted on. ``with_memory``: the remedy
    is meant for snapshots that hold a machine's memory too.
    """

    id: str
    title: str
    subject: SubjectKind
    levels: dict[Severity, Condition]
    why: str
    fix: str
    source: Place
    unless: Condition | None = None
    remedy: Remedy | None = None
    mode: Mode = Mode.REPORT
    grace: timedelta | None = None
    with_memory: bool = False
    environment_levels: dict[str, dict[Severity, Condition]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A named group of machines, chosen by tags, ids or name patterns (shell wildcards)."""

    name: str
    tags: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    ids: frozenset[str] = frozenset()
    endpoints: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules in force, in the order of their ids, and the environments they look at."""

    rules: tuple[Rule, ...]
    environments: tuple[Environment, ...] = ()
    disabled: tuple[str, ...] = ()
