"""The history that a configuration names, opened to read or to write."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from snapaudit import __version__
from snapaudit.app.gather import refuse_unknown
from snapaudit.app.weekly.keeping import keep
from snapaudit.config.secrets import fetch
from snapaudit.config.settings import Settings
from snapaudit.enforce.state import State, distrust, prepare
from snapaudit.errors import HistoryError, RefusedError, SnapauditError
from snapaudit.history.recording import Recording
from snapaudit.history.store import Store, open_file, open_server
from snapaudit.model.finding import Audit
from snapaudit.model.history import Diff, history_file
from snapaudit.model.inventory import Inventory
from snapaudit.model.past import NOTHING_REMEMBERED, DatastoreKey, Past
from snapaudit.model.policy import Policy
from snapaudit.rules.digest import digest
from snapaudit.rules.held import Held
from snapaudit.rules.quantity import Unknown

_BESIDE = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """Inventories with what is remembered about them: creators in them, the rest in ``past``."""

    inventories: tuple[Inventory, ...]
    past: Past


def exists(settings: Settings) -> bool:
    """Whether there may be something to read. Looks at files alone, at no server."""
    return settings.history.url is not None or history_file(settings.state).exists()


def open_history(settings: Settings, environ: Mapping[str, str], *, writing: bool = False) -> Store:
    """The history, to be closed by whoever asked for it. To read one, nothing is created.

    Raises HistoryError where there is none to read, or where it cannot be used; RefusedError where
    somebody else could have written to it.
    """
    if settings.history.url is not None:
        reference = settings.history.password
        password = None if reference is None else fetch(reference, environ).reveal()
        return open_server(settings.history.url, password, writing=writing)
    path = history_file(settings.state)
    if writing:
        prepare(State(settings.state))
    elif not path.exists():
        raise HistoryError(f"{path}: nothing is remembered yet; `snapaudit audit` records its runs")
    _refuse_foreign(settings)
    return open_file(path, writing=writing)


def _refuse_foreign(settings: Settings) -> None:
    """Somebody else's file could hold anything; SQLite would follow a link, too."""
    folder, path = settings.state, history_file(settings.state)
    complaint = distrust(folder.lstat(), wanted=stat.S_ISDIR)
    if complaint is not None:
        raise RefusedError(f"{folder}: {complaint}")
    for ending in _BESIDE:
        beside = path.with_name(path.name + ending)
        try:
            complaint = distrust(beside.lstat())
        except FileNotFoundError:
            continue
        if complaint is not None:
            raise RefusedError(f"{beside}: {complaint}")


def remember_back(
    inventories: Sequence[Inventory],
    settings: Settings,
    environ: Mapping[str, str],
    at: datetime,
) -> Remembered:
    """What earlier runs add to a view of a moment.

    A history that cannot be read stops nothing: ``past.fault`` says why, and what rests on it is
    unknown.
    """
    seen = tuple(inventories)
    try:
        if not exists(settings):
            return Remembered(inventories=seen, past=NOTHING_REMEMBERED)
        with open_history(settings, environ) as store:
            return Remembered(inventories=store.with_creators(seen), past=store.past(seen, at))
    except SnapauditError as error:
        return Remembered(inventories=seen, past=Past(fault=str(error)))


def compare(
    settings: Settings,
    environ: Mapping[str, str],
    since: datetime | None,
    until: datetime,
    wanted: Sequence[str] = (),
) -> Diff:
    """What changed up to a moment; since the run before the last one, where nothing else is said.

    Raises HistoryError where there are no two runs to compare, UsageError where ``wanted`` names an
    endpoint, or a pattern of them, that no run was about.
    """
    with open_history(settings, environ) as store:
        refuse_unknown(wanted, store.endpoints())
        known = store.latest_moments(until)
        if len(known) < 2:
            raise HistoryError(
                f"{store.place}: only one run is remembered, and it takes two to compare; each "
                "`snapaudit audit` records one"
            )
        begin = known[1] if since is None else since
        if begin >= known[0]:
            raise HistoryError(
                f"{store.place}: the last run is of {known[0]:%Y-%m-%dT%H:%M:%SZ}, none is later "
                "than the moment to compare with"
            )
        return store.changes(begin, until)


def record(
    audit: Audit,
    past: Past,
    policy: Policy,
    settings: Settings,
    environ: Mapping[str, str],
    at: datetime,
    now: datetime,
) -> None:
    """Remember an audit as a run of a moment; the latest one as a whole. Raises SnapauditError.

    A run of a day that has yet to come (a clock that was wrong, a trial of ``--now``) keeps no
    later one from being the latest.
    """
    recording = Recording(
        audit=audit,
        at=at,
        tool_version=__version__,
        rules_digest=digest(policy),
        rules=tuple(rule.id for rule in policy.rules),
        held=_held(audit),
        past=past,
    )
    with open_history(settings, environ, writing=True) as store:
        store.record(recording)
        store.keep(settings.history)
        is_latest = store.runs(limit=1, until=max(at, now))[0].audited_at <= at
    if is_latest:
        keep(audit, at, State(settings.state))


def _held(audit: Audit) -> dict[DatastoreKey, int | None]:
    found: dict[DatastoreKey, int | None] = {}
    for inventory in audit.inventories:
        held = Held(inventory)
        for store in inventory.datastores:
            total = held.total(store.id)
            known = total.at_least if isinstance(total, Unknown) else total
            found[inventory.endpoint, store.id] = known if isinstance(known, int) else None
    return found
