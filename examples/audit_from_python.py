"""Audit from a script: which machines hold most by snapshots, and what a plan would do about it.

    python examples/audit_from_python.py --demo
    python examples/audit_from_python.py --inventory today.json.gz
    python examples/audit_from_python.py /etc/snapaudit/snapaudit.yaml

It changes nothing. Its exit code is that of ``snapaudit check``.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from snapaudit import app
from snapaudit.config.settings import Settings
from snapaudit.errors import SnapauditError
from snapaudit.model.inventory import Inventory


def read(arguments: list[str], now: datetime) -> tuple[Settings, tuple[Inventory, ...]]:
    """The settings and what is to be judged by them."""
    match arguments:
        case ["--demo"]:
            return app.load_settings(), app.collect_demo(now=now)
        case ["--inventory", *files]:
            return app.load_settings(), app.load_inventories(*map(Path, files))
        case [config]:
            settings = app.load_settings(Path(config))
            return settings, app.collect(settings, now=now)
        case _:
            raise SystemExit(__doc__)


def held_by_machine(inventories: Iterable[Inventory]) -> Counter[str]:
    """Bytes that the snapshots of each machine hold; unknown sizes (None) are left out."""
    held: Counter[str] = Counter()
    for inventory in inventories:
        for machine in inventory.virtual_machines:
            known = (shot.size_bytes for shot in machine.snapshots if shot.size_bytes is not None)
            held[f"{inventory.endpoint}/{machine.name}"] += sum(known)
    return held


def main() -> int:
    """Read, judge, print, and answer as a check would."""
    now = datetime.now(UTC)
    try:
        settings, inventories = read(sys.argv[1:], now)
        policy = app.load_policy(settings)
        audit = app.judge(inventories, policy, now=now)
        plan = app.plan_for(audit, policy, settings, now=now, author="a script")
    except SnapauditError as error:
        print(error, file=sys.stderr)
        return 3
    check = app.verdict_of(audit)
    print(f"{check.status}: {check.counts.critical} critical, {check.counts.warning} warnings")
    for seen in audit.coverage:
        print(f"  {seen.endpoint} is {seen.state}: {seen.reason or 'all was seen'}")
    for name, held in held_by_machine(inventories).most_common(3):
        print(f"  {name}: {held / 2**30:.1f} GiB")
    print(f"a plan would delete {len(plan.actions)} and refuse {len(plan.refusals)}")
    Path("audit.html").write_bytes(app.render(audit, "html"))
    return check.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
