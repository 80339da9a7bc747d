"""What may go wrong on the way, told to the server before or while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CREATE, COMMAND, SEND, RECEIVE, SIGNAL, DELETE = (
    "Create", "Command", "Send", "Receive", "Signal", "Delete",
)  # fmt: skip
TIMED_OUT, QUOTA, SHELL_GONE, SCHEMA, DENIED = 2150858793, 2150859173, 2150858843, 2150858817, 5


@dataclass(kw_only=True)
class Faults:
    """By default nothing is wrong. Where an action is named, it is one of those above.

    ``chunk``: most bytes of output in one answer. ``timeouts``: so many Receives find nothing yet.
    ``quota``: most shells at a time. ``cut``: lines after which the process just ends. ``garbage``,
    ``statuses``, ``refusals``: actions answered with these bytes, this HTTP status or this fault.
    ``drop``: actions after which the connection is closed; what was asked for has been done.
    ``hang``: actions that are never answered, ``drip``: answered a byte now and then.
    ``dies``: the process ends before it read its input, with that on its error stream.
    ``ending``: code and error stream at the process's end. ``language``: of PowerShell there.
    ``redirect``: where every request is sent on to.
    """

    chunk: int | None = None
    timeouts: int = 0
    quota: int | None = None
    cut: int | None = None
    garbage: Mapping[str, bytes] = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()
    hang: frozenset[str] = frozenset()
    drip: frozenset[str] = frozenset()
    dies: str | None = None
    ending: tuple[int | None, str] = (0, "")
    language: str = "FullLanguage"
    redirect: str | None = None
