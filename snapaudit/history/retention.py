"""Retention: what is kept of old runs. Details go first, then most of the runs.

Whatever a datastore or the whole estate was like stays as the last run of each week, later of each
month; what every single snapshot was like does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from snapaudit.history.database import Database
from snapaudit.history.identity import to_moment, to_number
from snapaudit.model.history import Keeping

# Looking which subjects are still needed reads everything once: that is done every other week.
_AT_A_TIME = timedelta(days=14)


def keep(database: Database, keeping: Keeping) -> int:
    """Let go of what is too old, counted from the newest run; how many runs lost their details."""
    [(newest,)] = database.rows("SELECT MAX(audited_at) FROM run")
    if newest is None:
        return 0
    until = to_moment(newest) - timedelta(days=keeping.days)
    due = until - _AT_A_TIME
    if not database.rows(
        "SELECT 1 FROM run WHERE has_details = 1 AND audited_at < ? LIMIT 1", (to_number(due),)
    ):
        return 0
    with database.transaction():
        old = [
            row[0]
            for row in database.rows(
                "SELECT id FROM run WHERE has_details = 1 AND audited_at < ?", (to_number(until),)
            )
        ]
        for run in old:
            database.run("DELETE FROM sighting WHERE run = ?", (run,))
            database.run("DELETE FROM forecast WHERE run = ?", (run,))
            database.run("UPDATE run SET has_details = 0 WHERE id = ?", (run,))
        monthly = to_moment(newest) - timedelta(days=keeping.weekly_days)
        for run in _superfluous(database, monthly):
            database.run("DELETE FROM run WHERE id = ?", (run,))
        _forget_unseen(database)
    return len(old)


def _superfluous(database: Database, monthly_before: datetime) -> Iterator[int]:
    """Runs without details for which a later one of the same span and endpoints stands."""
    rows = database.rows(
        "SELECT r.id, r.audited_at, c.endpoint FROM run r LEFT JOIN coverage c ON c.run = r.id "
        "WHERE r.has_details = 0 ORDER BY r.audited_at DESC, r.id DESC"
    )
    endpoints: dict[tuple[int, int], set[int]] = {}
    for run, at, endpoint in rows:
        endpoints.setdefault((run, at), set()).add(endpoint)
    stand: set[tuple[object, ...]] = set()
    for (run, number), read in endpoints.items():
        at = to_moment(number)
        span = (at.year, at.month) if at < monthly_before else at.isocalendar()[:2]
        key = (at < monthly_before, *span, *sorted(read))
        if key in stand:
            yield run
        stand.add(key)


def _forget_unseen(database: Database) -> None:
    """Subjects that no remaining row speaks of. A machine stays as long as its snapshots do."""
    kept = "SELECT subject FROM sighting UNION SELECT subject FROM level"
    database.run(
        f"DELETE FROM subject WHERE id NOT IN ({kept}) AND id NOT IN "
        f"(SELECT machine FROM subject WHERE machine IS NOT NULL AND id IN ({kept}))"
    )
