"""All benchmarks one after the other, as a table of ratios: ``make bench``."""

from __future__ import annotations

import importlib
import sys

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


def main() -> int:
    """Run those that are named, or all."""
    for name in sys.argv[1:] or MODULES:
        print(f"== {name}", flush=True)
        importlib.import_module(f"tests.bench.{name}").run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
