"""``docs/performance.md``: each benchmark in its own words, with what it printed and on what."""

from __future__ import annotations

import inspect
import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

HEADING = """# Performance

What `make bench` printed, section by section, with the machine and the day. Wherever there is a
peer or a floor, it was measured in the same run: compare the ratios, since seconds tell more about
a machine and its other work than about a program. Peers are what one would use or write otherwise.

Nothing here was measured on a real vCenter, Hyper-V host or Xen pool. Those back ends are a
simulator and servers of the tests, which answer at once: what is measured there is our own work and
the number of round trips, not the platform's.

Renewed by `python -m tests.bench --write docs/performance.md`, or some sections alone by naming
them behind it.
"""
_SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def section(module: ModuleType, printed: str, machine: str, day: str) -> str:
    """What a benchmark says of itself, where and when it ran, and what it printed."""
    about = " ".join((inspect.getdoc(module) or "").split("\n\n")[0].split())
    return f"{about}\n\nOn {day}: {machine}.\n\n```\n{printed.rstrip()}\n```\n"


def page(before: str, measured: Mapping[str, str], order: tuple[str, ...]) -> str:
    """The page with these sections renewed; those that were not measured stay as they were."""
    sections = {name: body.strip() for name, body in _SECTION.findall(before)}
    sections |= {name: body.strip() for name, body in measured.items()}
    known = (name for name in order if name in sections)
    return HEADING + "".join(f"\n## {name}\n\n{sections[name]}\n" for name in known)


def machine() -> str:
    """The machine in one line: processor, memory, system, Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return (
        f"{_processor()}, {cores} cores, {memory:.0f} GiB of memory, {_system()}, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"^model name\s*: (.+)$", told, re.MULTILINE)
    return found[1] if found else platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()
