"""From a weekly report to letters: who gets which part of it, and who gets nothing and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from snapaudit.app.weekly.narrowing import Shares, narrowed
from snapaudit.config.mail import is_address, owner_key
from snapaudit.config.settings import Mail, WhenClean
from snapaudit.errors import UsageError
from snapaudit.model.check import Status
from snapaudit.model.letter import Attachment, Letter
from snapaudit.model.weekly import WeeklyReport
from snapaudit.report.weekly.csv import render as all_rows
from snapaudit.report.weekly.html import render as whole_page
from snapaudit.report.weekly.mailed import Digest, page
from snapaudit.report.weekly.mailtext import text

LARGEST_ATTACHMENT = 8 * 1024 * 1024
"""Many servers take no more than 10 MB of a message, and a file grows by a third on its way."""
_WHY = (
    "You get this because you are named as owner there: in an attribute, a tag, a note or as the "
    "snapshot's creator. All of yours are attached as a table."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """The letters to send, and sentences about those that are not written."""

    letters: tuple[Letter, ...]
    remarks: tuple[str, ...] = ()


def mailing(
    report: WeeklyReport,
    settings: Mail,
    *,
    to: tuple[str, ...] = (),
    owner: str | None = None,
    told_on: date | None = None,
) -> Mailing:
    """What goes to whom.

    The team gets everything, and with ``per_owner`` every owner his part. ``to`` replaces the
    team, and then nobody else gets anything; ``owner`` asks for the part of that one alone.
    ``told_on`` is for a run that is old: that it still is the last one is news every day.
    """
    remarks: list[str] = []
    if owner is not None:
        letters = [_owners_letter(report, settings, owner, to)]
    else:
        letters = list(_all_letters(report, settings, to, remarks))
    if told_on is not None:
        letters = [replace(one, run=f"{one.run} on {told_on}") for one in letters]
    return Mailing(letters=tuple(letters), remarks=tuple(remarks))


def _all_letters(
    report: WeeklyReport, settings: Mail, to: tuple[str, ...], remarks: list[str]
) -> Iterator[Letter]:
    if _is_due(report, settings):
        yield _team_letter(report, settings, to or settings.to)
    else:
        remarks.append(
            "nothing is mailed: all was seen, and nothing is at warning or above "
            "(mail: when_clean: silent)"
        )
    if not settings.per_owner or to:
        return
    shares = Shares(report)
    for address, names in _addressed(report, settings, remarks).items():
        part = shares.of(names)
        if _is_due(part, settings):
            yield _part_letter(report, part, names, (address,))


def _is_due(report: WeeklyReport, settings: Mail) -> bool:
    """Only silence that was asked for, and only where all was seen and nothing is wrong."""
    is_clean = report.check.status is Status.OK and not report.remarks
    return settings.when_clean is WhenClean.SEND or not is_clean


def _addressed(
    report: WeeklyReport, settings: Mail, remarks: list[str]
) -> dict[str, tuple[str, ...]]:
    """The names of owners by their addresses; two names may have one address."""
    found: dict[str, tuple[str, ...]] = {}
    for part in report.owners:
        if part.owner is None:
            continue
        address = address_of(part.owner, settings)
        if address is None:
            remarks.append(
                f"owner {part.owner}: no address is known, name it under mail: owners; "
                f"snapshots: {part.snapshots}"
            )
        else:
            found[address] = (*found.get(address, ()), part.owner)
    return found


def address_of(owner: str, settings: Mail) -> str | None:
    """Where an owner is mailed.

    Whoever may write a note or a tag may name any address as owner: one that stands in no list is
    good only in a domain that the site trusts.
    """
    listed = settings.owners.get(owner_key(owner))
    if listed is not None:
        return listed
    name = owner.strip()
    domain = name.rpartition("@")[2].lower()
    return name if is_address(name) and domain in settings.owner_domains else None


def _owners_letter(report: WeeklyReport, settings: Mail, owner: str, to: tuple[str, ...]) -> Letter:
    names = tuple(
        one.owner for one in report.owners if one.owner and owner_key(one.owner) == owner_key(owner)
    )
    if not names:
        known = ", ".join(sorted(one.owner for one in report.owners if one.owner)) or "nobody"
        raise UsageError(f"--owner: no snapshot names {owner!r}; named are: {known}")
    address = address_of(names[0], settings)
    recipients = to or ((address,) if address is not None else ())
    if not recipients:
        raise UsageError(f"--owner: no address of {owner!r} is known; add --to or mail: owners")
    return _part_letter(report, narrowed(report, names), names, recipients)


def _team_letter(report: WeeklyReport, settings: Mail, to: tuple[str, ...]) -> Letter:
    attached, note = _attachment(report) if settings.attach else ((), "")
    return _letter(report, Digest(report=report, note=note), to, attached)


def _part_letter(
    report: WeeklyReport, part: WeeklyReport, names: tuple[str, ...], to: tuple[str, ...]
) -> Letter:
    digest = Digest(report=part, owner=", ".join(names), note=_WHY)
    rows = Attachment(name=f"{_file_name(report)}.csv", kind="text/csv", body=all_rows(part))
    return _letter(report, digest, to, (rows,))


def _letter(
    report: WeeklyReport, digest: Digest, to: tuple[str, ...], attached: tuple[Attachment, ...]
) -> Letter:
    return Letter(
        run=run_of(report),
        part=owner_key(digest.owner or ""),
        to=to,
        subject=digest.subject,
        text=text(digest),
        page=page(digest),
        attachments=attached,
    )


def _file_name(report: WeeklyReport) -> str:
    return f"snapaudit-{report.reported_at:%Y-%m-%d}"


def run_of(report: WeeklyReport) -> str:
    """The run that is reported: its moment, and which endpoints it was about."""
    endpoints = "\0".join(sorted(one.endpoint for one in report.check.coverage))
    digest = hashlib.sha256(endpoints.encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return f"{report.reported_at:%Y-%m-%dT%H:%M:%SZ} {digest}"


def _attachment(report: WeeklyReport) -> tuple[tuple[Attachment, ...], str]:
    body = whole_page(report)
    if len(body) > LARGEST_ATTACHMENT:
        size = f"{len(body) / 2**20:.0f} MiB"
        return (), f"The whole page has {size}, too much for a mail: see the reports folder."
    name = f"{_file_name(report)}.html"
    attached = Attachment(name=name, kind="text/html", body=body)
    return (attached,), f"The whole report with its drawings is attached: {name}."
