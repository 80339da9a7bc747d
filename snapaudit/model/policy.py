"""What counts as a finding: severities, rules and their thresholds, environments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from snapaudit.errors import Place
from snapaudit.model.exemption import LONGEST_LIFE, Exemption


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
    EXEMPTION = "exemption"


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
    """One fact held against one bound: ``age over 3d``.

    ``argument`` is what some facts need besides, such as the name of an attribute. ``source`` is
    where the bound is written, and makes no difference.
    """

    fact: str
    operator: str
    bound: Bound
    argument: str | None = None
    source: Place | None = field(default=None, compare=False)


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
class AtLeast:
    """A quantity that is known in part: it is this, or more."""

    value: Bound


Given = Bound | AtLeast


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a rule has to say when these facts are so, by their names; all others are unknown.

    ``severity`` None: no finding. ``is_undetermined``: something is left open, be it the whole or a
    worse level.
    """

    given: tuple[tuple[str, Given], ...]
    severity: Severity | None
    is_undetermined: bool
    environment: str | None
    source: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, as its file says it. ``levels`` maps each grade to its condition.

    ``environment_levels`` replaces them for the machines of an environment. ``grace`` is how long
    a finding of mode ``mark`` is announced before it may be acted on, ``notice`` how long before
    that moment it is announced once more. ``with_memory``: the remedy is meant for snapshots that
    hold a machine's memory too. ``honours_expiry``: a last day that a snapshot's own text declares
    keeps its findings back, as far as the site allows. ``cases`` prove the rule and decide nothing.
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
    notice: timedelta | None = None
    with_memory: bool = False
    honours_expiry: bool = False
    environment_levels: dict[str, dict[Severity, Condition]]
    cases: tuple[Case, ...] = field(default=(), compare=False)


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
    """The rules in force, in the order of their ids, and the environments they look at.

    ``exemptions`` as their file has them, counting no longer than ``longest_exemption``.
    ``honour_expiry``: how long from its creation a last day in a snapshot's own text is honoured,
    None: not at all. ``endpoints``: every one there is, so that what was left out is noticed.
    """

    rules: tuple[Rule, ...]
    environments: tuple[Environment, ...] = ()
    disabled: tuple[str, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    longest_exemption: timedelta = LONGEST_LIFE
    honour_expiry: timedelta | None = None
    endpoints: tuple[str, ...] = ()
