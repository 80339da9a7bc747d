"""``snapaudit serve``: metrics for Prometheus to fetch, collected in the background."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from typer import Option

from snapaudit.app.checking import Wanted, check
from snapaudit.app.serving import Service, served
from snapaudit.check.selection import Selection
from snapaudit.cli.check import remembering
from snapaudit.cli.exits import Exit
from snapaudit.cli.options import Common, with_common
from snapaudit.cli.reading import judge
from snapaudit.errors import UsageError
from snapaudit.model.check import Checked
from snapaudit.model.policy import Severity
from snapaudit.model.units import UnitError, parse_duration
from snapaudit.report.escape import plain


@with_common
def command(
    common: Common,
    listen: Annotated[str, Option(help="Where to listen.", metavar="HOST:PORT")] = "127.0.0.1:9876",
    interval: Annotated[str, Option(help="How often to collect.", metavar="DURATION")] = "15m",
    stale_after: Annotated[
        str | None,
        Option(
            help="Age from which data is stale (default: twice the interval).", metavar="DURATION"
        ),
    ] = None,
    public: Annotated[
        bool, Option("--public", help="Let others than this machine read it.")
    ] = False,
    rule: Annotated[
        list[str] | None, Option(help="Only this rule, or pattern (repeatable).", metavar="RULE")
    ] = None,
    datastore: Annotated[
        list[str] | None,
        Option(help="Only what lies on NAME or ENDPOINT/NAME (repeatable).", metavar="NAME"),
    ] = None,
    per_snapshot: Annotated[
        bool, Option("--per-snapshot", help="Metrics of every single snapshot too.")
    ] = False,
) -> int:
    """Serve the last finished collection as metrics, with its age; nothing is changed.

    Example: snapaudit serve --listen 127.0.0.1:9876 --interval 15m
    """  # fmt: skip
    if common.format or common.output or common.now:
        raise UsageError("--format, --output and --now cannot go with serve")
    every = _duration("--interval", interval)
    host, port = _address(listen)
    service = Service(
        host=host,
        port=port,
        interval=every,
        stale_after=_duration("--stale-after", stale_after) if stale_after else 2 * every,
        is_public=public,
    )
    wanted = Wanted(
        selection=Selection(rules=tuple(rule or ()), datastores=tuple(datastore or ())),
        per_snapshot=per_snapshot,
    )
    quiet = replace(common, quiet=True)

    def collect(stop: threading.Event) -> Checked:
        return _once(quiet, wanted, stop)

    with _told_to_end() as told, served(service, collect, _tell) as web:
        _tell(f"serving {web.url}, collecting every {interval}")
        told.wait()
    return Exit.DONE


def _once(common: Common, wanted: Wanted, stop: threading.Event) -> Checked:
    """Configuration and rules are read each time, so that an edit needs no restart."""
    judged = judge(common, stop)
    standing = judged.settings.check
    over = replace(
        wanted,
        fail_on=standing.fail_on or Severity.WARNING,
        allowances=standing.allowances,
        baseline=standing.baseline,
        fail_on_new=standing.fail_on_new,
        tolerance=standing.tolerance,
    )
    return check(judged.audit, judged.policy, remembering(common, judged, over))


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """An event that SIGTERM sets; Ctrl-C interrupts as everywhere."""
    told = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: told.set())
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, before)


def _address(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not host or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise UsageError(f"--listen: expected HOST:PORT, like 127.0.0.1:9876, found {text!r}")
    return host, int(port)


def _duration(option: str, text: str) -> timedelta:
    try:
        span = parse_duration(text)
    except UnitError as error:
        raise UsageError(f"{option}: {error}") from error
    if span < timedelta(seconds=1):
        raise UsageError(f"{option}: expected at least 1s, found {text!r}")
    return span


def _tell(line: str) -> None:
    sys.stderr.write(f"snapaudit: {plain(line)}\n")
    sys.stderr.flush()
