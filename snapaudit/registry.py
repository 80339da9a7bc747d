"""Finds hypervisors by entry point, so that other packages can add theirs."""

from __future__ import annotations

from importlib.metadata import entry_points

from snapaudit.errors import UsageError
from snapaudit.ports import Hypervisor, Preloadable

GROUP = "snapaudit.hypervisors"


def kinds() -> tuple[str, ...]:
    """The platforms that can be named after ``kind:``, sorted."""
    return tuple(sorted(entry_points(group=GROUP).names))


def hypervisor(kind: str) -> Hypervisor:
    """The platform of that name. Loads its package, not yet its SDK."""
    for entry in entry_points(group=GROUP, name=kind):
        loaded: Hypervisor = entry.load()
        return loaded
    known = ", ".join(kinds())
    raise UsageError(f"no hypervisor of kind {kind!r} is installed; there are: {known}")


def modules(kind: str) -> tuple[str, ...]:
    """What reading a platform imports: its package, and what it says that it imports late."""
    [entry] = list(entry_points(group=GROUP, name=kind))[:1]
    platform = entry.load()
    late = platform.late_modules if isinstance(platform, Preloadable) else ()
    return (entry.module, *late)
