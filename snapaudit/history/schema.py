"""The tables of the history, as numbered steps: each database has taken the first so many of them.

A step is never changed once it was released; a later one changes what it made. Times are
microseconds since 1970 in UTC, sizes bytes. Texts that repeat stand once, in ``word``.
"""

from __future__ import annotations

FIRST = (
    "CREATE TABLE endpoint (id {integer} PRIMARY KEY, name {text} NOT NULL UNIQUE) {plain}",
    "CREATE TABLE word (id {integer} PRIMARY KEY, text {text} NOT NULL UNIQUE) {plain}",
    # has_details 0: only the numbers of the run, its coverage and its levels are left.
    """CREATE TABLE run (
        id {integer} PRIMARY KEY, audited_at {integer} NOT NULL, has_details {integer} NOT NULL,
        tool_version {text} NOT NULL, rules_digest {text} NOT NULL,
        info {integer} NOT NULL, warning {integer} NOT NULL, critical {integer} NOT NULL,
        undetermined {integer} NOT NULL, exempt {integer} NOT NULL,
        virtual_machines {integer} NOT NULL,
        snapshots {integer} NOT NULL, datastores {integer} NOT NULL,
        snapshot_bytes {integer} NOT NULL, unknown_sizes {integer} NOT NULL,
        reclaimable_min {integer} NOT NULL, reclaimable_max {integer},
        reclaimable_basis {text} NOT NULL, rules {integer} NOT NULL, disabled {text} NOT NULL
    ) {plain}""",
    "CREATE INDEX run_by_time ON run (audited_at)",
    """CREATE TABLE coverage (
        run {integer} NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        endpoint {integer} NOT NULL REFERENCES endpoint (id),
        state {text} NOT NULL, reason {text}, virtual_machines {integer} NOT NULL,
        snapshots {integer} NOT NULL, cautions {text} NOT NULL, PRIMARY KEY (run, endpoint)
    ) {compact}""",
    # Every rule that was in force, also those that matched nothing.
    """CREATE TABLE rule_count (
        run {integer} NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        rule {integer} NOT NULL REFERENCES word (id),
        matches {integer} NOT NULL, PRIMARY KEY (run, rule)
    ) {compact}""",
    # The id is a hash of what identifies the subject: see identity.py.
    """CREATE TABLE subject (
        id {integer} PRIMARY KEY, endpoint {integer} NOT NULL REFERENCES endpoint (id),
        kind {text} NOT NULL, machine {integer}, native {text} NOT NULL, name {text} NOT NULL,
        created_at {integer}, creator {integer} REFERENCES word (id),
        first_seen_at {integer} NOT NULL, first_found_at {integer}
    ) {plain}""",
    # A row for each snapshot, and for each other subject that a rule said something about.
    """CREATE TABLE sighting (
        run {integer} NOT NULL REFERENCES run (id) ON DELETE CASCADE, subject {integer} NOT NULL,
        size {integer}, verdict {integer}, purpose {integer}, score {integer},
        PRIMARY KEY (run, subject)
    ) {compact}""",
    """CREATE TABLE level (
        subject {integer} NOT NULL, run {integer} NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        capacity {integer}, free {integer}, held {integer},
        offered_min {integer}, offered_max {integer}, PRIMARY KEY (subject, run)
    ) {compact}""",
    """CREATE TABLE forecast (
        subject {integer} NOT NULL, run {integer} NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        trend {text} NOT NULL, samples {integer} NOT NULL, capacity {integer},
        level {real} NOT NULL, low {real} NOT NULL, likely {real} NOT NULL, high {real} NOT NULL,
        PRIMARY KEY (subject, run)
    ) {compact}""",
    # Without these two, removing a run would look through all levels and forecasts.
    "CREATE INDEX level_by_run ON level (run)",
    "CREATE INDEX forecast_by_run ON forecast (run)",
)

STEPS: tuple[tuple[str, ...], ...] = (FIRST,)
