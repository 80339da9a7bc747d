"""The steps from endpoints to a document, for programs of others: what ``snapaudit.app`` exports.

Nothing here changes a host, writes a file or reads the clock; nothing here can apply a plan.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from snapaudit.app import audit as auditing
from snapaudit.app import gather, planning, remembering
from snapaudit.codec.documents import read_inventories
from snapaudit.config import loader
from snapaudit.config.secrets import fetch
from snapaudit.config.settings import Settings
from snapaudit.errors import UsageError
from snapaudit.model.check import Check, verdict
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Inventory
from snapaudit.model.plan import Plan
from snapaudit.model.policy import Policy, Severity
from snapaudit.ports import Progress
from snapaudit.report.formats import render_audit, render_plan


def load_settings(path: Path | None = None, *, folder: Path | None = None) -> Settings:
    """The configuration of a file, or the one that the command line would find in a folder.

    Without any file it is the defaults, which have no endpoint. Variables that it takes passwords
    from are kept in memory and leave the environment. Raises InputError naming file, line, column.
    """
    request = gather.Request(config=path, environ=os.environ, folder=folder or Path.cwd())
    return gather.settings_of(request)


def load_policy(settings: Settings, *, folders: Sequence[Path] = ()) -> Policy:
    """The rules in force and the exemptions, with rules of further folders. Raises InputError."""
    return auditing.policy_of(settings, folders)


def collect(
    settings: Settings,
    *,
    now: datetime,
    endpoints: Sequence[str] = (),
    progress: Progress = lambda _step: None,
) -> tuple[Inventory, ...]:
    """Read the configured endpoints, or those named, side by side, each within its deadline.

    One that could not be read is an inventory too, with coverage ``missing`` and the reason; one
    that shows much less than before is ``suspicious``. Each is read in a process of its own, so
    a script needs ``if __name__ == "__main__":``. Raises UsageError for a name that is none.
    """
    request = gather.Request(environ=os.environ, folder=Path.cwd(), endpoints=tuple(endpoints))
    seen = gather.gather(request, settings, now=now, secret_of=_secret, progress=progress)
    return remembering.held_against_memory(seen, settings)


def collect_demo(*, now: datetime) -> tuple[Inventory, ...]:
    """The made-up fleet, through libvirt's own test driver; no account and no daemon is needed."""
    folder = Path.cwd()
    request = gather.Request(environ=os.environ, folder=folder, demo=True)
    settings = loader.defaults(folder)
    return gather.gather(request, settings, now=now, secret_of=_secret, progress=lambda _step: None)


def load_inventories(*paths: Path) -> tuple[Inventory, ...]:
    """What ``snapaudit collect`` saved, and RVTools exports. Raises InputError naming the file."""
    return tuple(inventory for path in paths for inventory in read_inventories(path))


def judge(inventories: Iterable[Inventory], policy: Policy, *, now: datetime) -> Audit:
    """Findings, purposes and what could not be decided, as of a moment. A pure function.

    Earlier runs are not asked, so rules about growth and forecasts find nothing.
    """
    return auditing.audit(inventories, policy, now)


def verdict_of(audit: Audit, *, fail_on: Severity | None = Severity.WARNING) -> Check:
    """One word for monitoring, with its exit code. What was not seen whole is never OK."""
    return verdict(audit, fail_on=fail_on)


def plan_for(
    audit: Audit,
    policy: Policy,
    settings: Settings,
    *,
    now: datetime,
    author: str,
    worst: int | None = None,
) -> Plan:
    """What `snapaudit enforce` would write: actions, refusals with their guards, what is kept.

    Holds, marks and open actions of the state folder count, and nothing is written there, so that
    this plan cannot be applied. Raises SnapauditError for a state folder that cannot be read.
    """
    told = remembering.announced(audit, policy, settings, now)
    wanted = planning.Wanted(author=author, worst=worst)
    return planning.make_plan(told, policy, settings, wanted, now)


def render(document: Audit | Plan, form: str = "json") -> bytes:
    """An audit (table, json, csv, markdown, html, xlsx) or a plan (table, json) as it is shown."""
    match document:
        case Audit():
            return render_audit(document, form)
        case Plan():
            return render_plan(document, form)
    raise UsageError(f"expected an Audit or a Plan, found {type(document).__name__}")


def _secret(endpoint: Endpoint) -> str | None:
    reference = endpoint.account.password
    environ: Mapping[str, str] = os.environ
    return fetch(reference, environ).reveal() if reference is not None else None
