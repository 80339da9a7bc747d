"""Exemptions: findings that somebody accepts for a while, each with its owner, reason and end."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from snapaudit.errors import Place
from snapaudit.model.until import end_of_day

EXEMPTIONS_SCHEMA = "snapaudit/exemptions@1"
LINT_SCHEMA = "snapaudit/exemption-lint@1"
LONGEST_LIFE = timedelta(days=180)
NOBODY = frozenset(("", "-", "?", "n/a", "na", "nobody", "none", "null", "tbd", "todo", "unknown"))
"""Words that stand where an owner should, and name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What an exemption is about; all that is written must fit, and nothing written fits all.

    ``endpoint``, ``vm``, ``snapshot``, ``datastore`` and ``file`` are ids, names or patterns of the
    shell; of ``tags`` one is enough; ``environment`` is a name of the configuration's.
    """

    endpoint: str | None = None
    vm: str | None = None
    snapshot: str | None = None
    datastore: str | None = None
    file: str | None = None
    tags: tuple[str, ...] = ()
    environment: str | None = None

    def written(self) -> dict[str, str | tuple[str, ...]]:
        """The keys that say something, in their order."""
        said = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in said if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """One exemption, as its file says it. ``expires`` is its end as it is written there."""

    id: str
    rules: tuple[str, ...]
    selector: Selector
    owner: str
    reason: str
    ticket: str | None
    created_at: datetime
    expires: str
    expires_at: datetime
    place: Place

    @property
    def has_owner(self) -> bool:
        """Whether somebody is named who answers for it."""
        return self.owner.strip().casefold() not in NOBODY

    def ends_at(self, longest: timedelta) -> datetime:
        """When it stops counting: at its end, and never later than the site's longest life."""
        return min(self.expires_at, latest_end(self.created_at, longest))

    def is_in_force(self, now: datetime, longest: timedelta) -> bool:
        """Whether it counts at this moment."""
        return now < self.ends_at(longest)

    def sentence(self, longest: timedelta) -> str:
        """``EX-1 of dba until 2026-12-31: the vendor asked for it (CHG-4711)``."""
        ticket = f" ({self.ticket})" if self.ticket else ""
        return (
            f"{self.id} of {self.owner_said} until {self.end_said(longest)}: {self.reason}{ticket}"
        )

    @property
    def owner_said(self) -> str:
        """The owner, or that nobody is named."""
        return self.owner if self.has_owner else "nobody"

    def end_said(self, longest: timedelta) -> str:
        """The end as it is written, or the last day that the site allows."""
        if self.ends_at(longest) == self.expires_at:
            return self.expires
        return f"{self.created_at + longest:%Y-%m-%d}, the longest allowed"


def latest_end(created_at: datetime, longest: timedelta) -> datetime:
    """The last moment at which an exemption of that beginning may end: the end of its last day."""
    return end_of_day((created_at + longest).date())


class ExemptionState(StrEnum):
    """Whether an exemption counts."""

    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionStanding:
    """One exemption at the moment of an audit; ``findings``: how many it accepted then.

    ``expires_at`` is what the file says, ``ends_at`` when it stops counting, ``until`` the same as
    people write it. ``findings`` None: no audit was made. ``place`` is file, line and column.
    """

    id: str
    rules: tuple[str, ...]
    selector: Selector
    owner: str
    reason: str
    ticket: str | None
    created_at: datetime
    expires_at: datetime
    ends_at: datetime
    until: str
    state: ExemptionState
    findings: int | None
    place: str


def standing(
    exemption: Exemption, now: datetime, longest: timedelta, findings: int | None = None
) -> ExemptionStanding:
    """How an exemption stands at a moment."""
    is_active = exemption.is_in_force(now, longest)
    return ExemptionStanding(
        id=exemption.id,
        rules=exemption.rules,
        selector=exemption.selector,
        owner=exemption.owner,
        reason=exemption.reason,
        ticket=exemption.ticket,
        created_at=exemption.created_at,
        expires_at=exemption.expires_at,
        ends_at=exemption.ends_at(longest),
        until=exemption.end_said(longest),
        state=ExemptionState.ACTIVE if is_active else ExemptionState.EXPIRED,
        findings=findings,
        place=str(exemption.place),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionList:
    """The exemptions of a file, in its order."""

    schema: str = EXEMPTIONS_SCHEMA
    exemptions: tuple[ExemptionStanding, ...]


class RemarkLevel(StrEnum):
    """Whether a remark keeps the file from being used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing to say of the file: where, about which exemption (None: the file), and what."""

    level: RemarkLevel
    place: str
    exemption: str | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionLint:
    """Everything that is to be said of an exemptions file, in its order.

    ``exemptions`` counts those that can be read. ``seen``: the endpoints that were looked at to
    tell which accept nothing.
    """

    schema: str = LINT_SCHEMA
    file: str | None
    exemptions: int
    seen: tuple[str, ...]
    remarks: tuple[Remark, ...]

    @property
    def has_errors(self) -> bool:
        """Whether the file cannot be used as it is."""
        return any(one.level is RemarkLevel.ERROR for one in self.remarks)
