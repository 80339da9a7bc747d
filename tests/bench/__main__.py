"""All benchmarks one after the other, as a table of ratios: ``make bench``."""

from __future__ import annotations

import importlib
import io
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bench import page

MODULES = (
    *(
        "startup",
        "rules",
        "purposes",
        "check",
        "qcow2",
        "libvirt",
        "vsphere",
        "hyperv",
        "xen",
        "report",
    ),
    *("forecast", "history", "fleet"),
)


class _Both(io.StringIO):
    """What is printed goes to the terminal and is kept."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]
        return super().write(text)


def main(words: list[str]) -> int:
    """Run those that are named, or all; ``--write PAGE`` keeps what they print."""
    wanted, target = _arguments(words)
    measured: dict[str, str] = {}
    for name in wanted:
        print(f"== {name}", flush=True)
        module = importlib.import_module(f"tests.bench.{name}")
        with redirect_stdout(_Both()) as printed:
            try:
                module.run()
            except pytest.skip.Exception as reason:
                print(f"not measured: {reason}")
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        measured[name] = page.section(module, printed.getvalue(), page.machine(), today)
        if target is not None:
            before = target.read_text(encoding="utf-8") if target.exists() else ""
            target.write_text(page.page(before, measured, MODULES), encoding="utf-8")
    return 0


def _arguments(words: list[str]) -> tuple[tuple[str, ...], Path | None]:
    target = None
    if words[:1] == ["--write"]:
        target, words = Path(words[1]), words[2:]
    unknown = sorted(set(words) - set(MODULES))
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are {', '.join(MODULES)}")
    return tuple(words) or MODULES, target


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
