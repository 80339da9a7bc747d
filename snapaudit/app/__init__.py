"""Use cases: the only place where collecting, judging, reporting and the demo meet.

What programs of others may rely on is exported here, and told in ``docs/api.md``. It is imported
when it is asked for, since every command imports this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snapaudit.app.scripting import (
        collect,
        collect_demo,
        judge,
        load_inventories,
        load_policy,
        load_settings,
        plan_for,
        render,
        verdict_of,
    )

__all__ = [
    "collect",
    "collect_demo",
    "judge",
    "load_inventories",
    "load_policy",
    "load_settings",
    "plan_for",
    "render",
    "verdict_of",
]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module("snapaudit.app.scripting"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
