"""What ``snapaudit report`` does with a report besides showing it: publish, preview, mail it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from snapaudit.app.mailing import deliver, preview
from snapaudit.app.publishing import publish
from snapaudit.app.weekly.asking import Asked
from snapaudit.app.weekly.letters import mailing
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common
from snapaudit.cli.writing import write_file
from snapaudit.config.mail import is_address
from snapaudit.config.settings import Mail, Settings
from snapaudit.errors import UsageError
from snapaudit.model.letter import Delivery, Fate
from snapaudit.model.weekly import WeeklyReport
from snapaudit.report.escape import plain

_EXAMPLE = "mail: {smtp: 'smtps://mail.example.org', from: a@example.org, to: [b@example.org]}"
# A preview needs no server: it shows how the mail looks before there is any.
_NO_SERVER = Mail(smtp="smtp://localhost", sender="snapaudit@localhost", to=("team@localhost",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What the options ask for beside the result itself."""

    mail: bool
    to: tuple[str, ...]
    owner: str | None
    preview: Path | None
    again: bool
    publish: bool

    @property
    def any(self) -> bool:
        """Whether there is anything: then nothing goes to stdout that was not asked for."""
        return self.mail or self.publish or self.preview is not None


def check_ways(ways: Ways, common: Common, settings: Settings) -> None:
    """Refuse options that do not go together, before anything is read. Raises UsageError."""
    if (ways.to or ways.owner is not None) and not (ways.mail or ways.preview):
        raise UsageError("--to and --owner need --mail or --preview FILE")
    if ways.again and not ways.mail:
        raise UsageError("--again needs --mail")
    for address in ways.to:
        if not is_address(address):
            raise UsageError(f"--to: {address!r} is no mail address like virt-team@example.org")
    if ways.mail and settings.mail is None:
        raise UsageError(f"--mail: the configuration names no mail server; write {_EXAMPLE}")
    if common.demo and ways.publish:
        raise UsageError("--demo is made up and not published among real reports; use -o FILE")
    if common.demo and ways.mail and not ways.to:
        raise UsageError("--demo is made up: name who is to get it by --to")


def go_ways(
    asked: Asked,
    ways: Ways,
    settings: Settings,
    common: Common,
    now: datetime,
    render: Callable[[str], bytes],
) -> int:
    """Do what is asked for: published first, so that a mail server that is down costs no report."""
    report = asked.report
    if ways.publish:
        _publish(report, settings, common, render)
    if ways.preview is not None:
        _preview(report, ways, settings.mail or _NO_SERVER, common, now, ways.preview)
    if ways.mail and settings.mail is not None:
        return _mail(asked, ways, settings, settings.mail, common, now)
    return Exit.DONE


def _publish(
    report: WeeklyReport, settings: Settings, common: Common, render: Callable[[str], bytes]
) -> None:
    done = publish(report, settings.reports, render, keep=settings.keep_reports)
    _say(common, f"published in {done.folder}; the list of all is {done.index}")
    for day in done.cleared.gone:
        _say(common, f"{settings.reports / day}: removed, older than the reports to keep")
    for day, why in done.cleared.staying:
        _warn(f"{settings.reports / day}: is old and stays: {why}")


def _preview(
    report: WeeklyReport, ways: Ways, mail: Mail, common: Common, now: datetime, path: Path
) -> None:
    # Also what silence would keep from being sent: it is to be looked at.
    to = ways.to or (mail.to if ways.owner is None else ())
    found = mailing(report, mail, to=to, owner=ways.owner)
    first = next(iter(found.letters), None)
    if first is None:
        _say(common, f"{path}: not written: {'; '.join(found.remarks)}")
        return
    write_file(path, preview(first, mail.sender, now))
    _say(common, f"{path}: the mail to {', '.join(first.to)}, not sent")


def _mail(
    asked: Asked, ways: Ways, settings: Settings, mail: Mail, common: Common, now: datetime
) -> int:
    found = mailing(asked.report, mail, to=ways.to, owner=ways.owner, told_on=asked.told_on)
    for remark in found.remarks:
        _say(common, remark)
    is_well = True
    for one in deliver(found.letters, mail, settings, os.environ, now, again=ways.again):
        _tell(common, one)
        is_well = is_well and one.is_well
    return Exit.DONE if is_well else Exit.FAILED


def _tell(common: Common, one: Delivery) -> None:
    part = f" (the part of {one.part})" if one.part else ""
    match one.fate:
        case Fate.SENT:
            _say(common, f"mailed to {one.recipient}{part}")
        case Fate.EARLIER if one.is_well:
            _say(common, f"{one.recipient}{part} has this report already; --again sends it anew")
        case Fate.EARLIER:
            _warn(f"not mailed to {one.recipient}{part}: {one.reason}; --again sends it anew")
        case Fate.UNKNOWN:
            _warn(f"unknown whether mailed to {one.recipient}{part}: {one.reason}")
        case _:
            _warn(f"not mailed to {one.recipient}{part}: {one.reason}")


def _say(common: Common, line: str) -> None:
    if not common.quiet:
        _warn(line)


def _warn(line: str) -> None:
    sys.stderr.write(f"{plain(line)}\n")
