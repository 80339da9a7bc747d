"""Finds hypervisors by entry point, so that other packages can add theirs."""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points

from snapaudit.errors import HypervisorError, UsageError
from snapaudit.ports import Hypervisor, Preloadable

GROUP = "snapaudit.hypervisors"


def kinds() -> tuple[str, ...]:
    """The platforms that can be named after ``kind:``, sorted."""
    return tuple(sorted(entry_points(group=GROUP).names))


def hypervisor(kind: str) -> Hypervisor:
    """The platform of that name. Loads its package, not yet its SDK.

    Raises UsageError where none or several packages bring it, HypervisorError where loading fails.
    """
    entry = _entry(kind)
    try:
        loaded: Hypervisor = entry.load()
    except Exception as error:  # the package of others may raise whatever it likes
        raise HypervisorError(
            f"{_package(entry)}, which brings the kind {kind!r}, cannot be loaded: "
            f"{type(error).__name__}: {error}; repair or uninstall it"
        ) from error
    return loaded


def usable() -> dict[str, Hypervisor]:
    """All that can be loaded. A broken package of others costs its own endpoints alone."""
    found = {}
    for kind in kinds():
        with suppress(UsageError, HypervisorError):
            found[kind] = hypervisor(kind)
    return found


def modules(kind: str) -> tuple[str, ...]:
    """What reading a platform imports: its package, and what it says that it imports late."""
    platform = hypervisor(kind)
    late = platform.late_modules if isinstance(platform, Preloadable) else ()
    return (_entry(kind).module, *late)


def _entry(kind: str) -> EntryPoint:
    """Two packages that both bring a kind are refused: nobody knows which of them would delete."""
    found = {entry.value: entry for entry in entry_points(group=GROUP, name=kind)}
    if not found:
        known = ", ".join(kinds())
        raise UsageError(f"no hypervisor of kind {kind!r} is installed; there are: {known}")
    if len(found) > 1:
        packages = " and ".join(sorted(_package(entry) for entry in found.values()))
        raise UsageError(f"the kind {kind!r} is brought by {packages}; uninstall all but one")
    return next(iter(found.values()))


def _package(entry: EntryPoint) -> str:
    return f"the package {entry.dist.name}" if entry.dist is not None else entry.module
