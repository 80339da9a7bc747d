"""The weekly report as a letter: what is picked for it, its subject, its page and its text.

The page is for programs that strip styles, scripts and drawings: tables with inline styles, bars
that are coloured cells and characters. It stays below what the big ones show of a mail uncut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snapaudit.model.check import Status
from snapaudit.model.history import Change
from snapaudit.model.weekly import (
    Allowance,
    Deed,
    ListedSnapshot,
    OwnerPart,
    Standing,
    StoreOutlook,
    WeeklyReport,
)
from snapaudit.report import headline
from snapaudit.report.escape import mail_text
from snapaudit.report.pages import mail_page
from snapaudit.report.rows import subject_name
from snapaudit.report.weekly import bars, picks, words

_MOST = 10
_MOST_OF_ONE = 40
_FEW = 5
_UNSEEN = 12
_SUBJECT_NAME = 40
_LOOKED_AT = (Standing.EXPIRED, Standing.ENDING, Standing.UNUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a mail says of a report. ``owner`` None: it is for the team and about everything.

    ``note`` is a sentence about the whole page: where it is, or why not here.
    """

    report: WeeklyReport
    owner: str | None = None
    note: str = ""

    @property
    def title(self) -> str:
        """The mail's heading."""
        when = words.day(self.report.reported_at)
        if self.owner is None:
            return f"Snapshots in the week to {when}"
        return f"Snapshots of {mail_text(self.owner, _SUBJECT_NAME)} on {when}"

    @property
    def subject(self) -> str:
        """The mail's subject: one line with nothing in it that could be a second header."""
        check = self.report.check
        whose = f" for {mail_text(self.owner, _SUBJECT_NAME)}" if self.owner is not None else ""
        when = f"{self.report.reported_at:%Y-%m-%d}"
        said = headline.sentence(check)
        return f"[snapaudit] {headline.label(check.status)}{whose} {when}: {mail_text(said)}"

    @property
    def unseen(self) -> tuple[str, ...]:
        """What was not seen, a line each; the last one counts what finds no room."""
        lines = list(_unseen(self.report))
        more = len(lines) - _UNSEEN
        return (*lines[:_UNSEEN], *([f"and {more:,} more"] if more > 0 else []))

    @property
    def has_weeks(self) -> bool:
        """Whether there is anything to draw through the weeks."""
        known = [one for one in self.report.numbers[0].samples if one.value is not None]
        return len(known) > 1

    @property
    def stores(self) -> tuple[StoreOutlook, ...]:
        """The datastores that are full first."""
        return self.report.stores[:_MOST]

    @property
    def offenders(self) -> tuple[ListedSnapshot, ...]:
        """The largest snapshots with a finding."""
        return picks.largest(self.report, _MOST if self.owner is None else _MOST_OF_ONE)

    @property
    def offenders_title(self) -> str:
        """What stands above them."""
        return "Top offenders" if self.owner is None else "Your snapshots with a finding"

    @property
    def more_offenders(self) -> int:
        """How many of them found no room."""
        found = sum(one.severity is not None for one in self.report.snapshots)
        return found - len(self.offenders)

    @property
    def owners(self) -> tuple[OwnerPart, ...]:
        """Who has most; nothing where the mail is for one of them."""
        return self.report.owners[:_MOST] if self.owner is None else ()

    @property
    def suspects(self) -> tuple[ListedSnapshot, ...]:
        """What looks most like a makeshift backup."""
        return picks.suspects(self.report)[:_FEW]

    @property
    def due(self) -> tuple[ListedSnapshot, ...]:
        """What was announced and is due first."""
        return picks.due(self.report)[:_MOST]

    @property
    def deeds(self) -> tuple[Deed, ...]:
        """What enforcement did."""
        return self.report.deeds[:_MOST]

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        """Exemptions and holds that somebody has to look at."""
        found = picks.attention(self.report)
        return tuple(one for one in found if one.standing in _LOOKED_AT)[:_MOST]

    @property
    def changes(self) -> tuple[tuple[str, str, int, tuple[Change, ...]], ...]:
        """Title, tone, how many, and the first of them."""
        diff = self.report.changes
        if diff is None:
            return ()
        groups = (
            ("New", Status.WARNING, diff.new),
            ("Worse", Status.WARNING, diff.worse),
            ("Back again", Status.CRITICAL, diff.back),
            ("Grown", Status.WARNING, diff.grown),
            ("Resolved", Status.OK, diff.resolved),
        )
        return tuple(
            (title, tone.value, len(many), picks.most_changed(many)[:_FEW])
            for title, tone, many in groups
        )


def page(digest: Digest) -> str:
    """The HTML part."""
    report = digest.report
    sizes = [one.snapshot.size_bytes or 0 for one in digest.offenders]
    return mail_page(
        "mail.html",
        digest=digest,
        report=report,
        check=report.check,
        now=report.reported_at,
        bars=bars,
        headline=headline,
        words=words,
        labels=words.LABELS,
        lead=tuple(words.lead(report)),
        cautions=headline.cautions(report.check.coverage),
        absent=picks.absent(report),
        biggest=max(sizes, default=0) or 1,
        subject_name=subject_name,
    )


def _unseen(report: WeeklyReport) -> Iterator[str]:
    yield from headline.not_seen(report.check.coverage)
    for one in report.unseen:
        for gap in (*one.gaps, *one.doubts):
            yield f"{one.endpoint}: {gap.subject}: {gap.reason}"
