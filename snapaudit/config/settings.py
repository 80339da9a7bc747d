"""Settings: what ``snapaudit.yaml`` says, checked, with the defaults for what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from snapaudit.codec.yaml import Node
from snapaudit.errors import Place
from snapaudit.model.endpoint import Endpoint, SecretReference
from snapaudit.model.policy import Environment

GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredSecret(SecretReference):
    """A password's source with its place in the file, for the message when it cannot be had."""

    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """What the site changes about the rules.

    ``disable`` maps each rule that is off to the place that says so. ``levels`` maps rule,
    environment and grade to the new bound as it is written: only the rule knows its kind.
    """

    folders: tuple[Path, ...] = ()
    disable: Mapping[str, Place] = field(default_factory=dict)
    levels: Mapping[str, Mapping[str, Mapping[str, Node]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """Free space that a merge must leave: the larger of the bytes and the datastore's share."""

    bytes: int = 0
    ratio: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When changes may begin: days of the week (Monday is 0) and a span of local time.

    ``opens`` and ``closes`` count from midnight of such a day; a span into the next day closes
    after more than 24 h.
    """

    text: str
    days: frozenset[int]
    opens: timedelta
    closes: timedelta
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one run may change; no window means at any time."""

    min_age: timedelta = timedelta(hours=72)
    max_actions: int = 10
    max_share: float = 0.05
    max_bytes: int = 500 * GIB
    min_free: Reserve = Reserve(bytes=10 * GIB, ratio=0.05)
    window: Window | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """The mail server and the addresses reports go from and to."""

    smtp: str
    sender: str
    to: tuple[str, ...]
    password: SecretReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One configuration. ``source`` is its file, None for the defaults."""

    version: int = 1
    endpoints: tuple[Endpoint, ...] = ()
    environments: tuple[Environment, ...] = ()
    rules: RuleSettings = RuleSettings()
    limits: Limits = Limits()
    state: Path
    reports: Path
    mail: Mail | None = None
    source: Path | None = None
