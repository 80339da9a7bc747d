"""How long each format of a check takes for 5,000 findings, beside JSON of the same findings.

The goal is under 3 s for each, with the judging of the check itself. The ratio says what a format
costs whatever the machine does at the time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from snapaudit.report.check.formats import CHECK_FORMATS, render_check
from tests.report.check.audits import large, large_audit, rules
from tests.report.records import checked

FINDINGS = 5000
ROUNDS = 3


def _best(work: Callable[[], object]) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def run() -> None:
    """Print the table."""
    result = large(FINDINGS)
    audit = large_audit(FINDINGS)
    floor = _best(lambda: json.dumps([asdict(one) for one in audit.findings], default=str))
    rows = [("verdict", _best(lambda: checked(audit, rules=rules())))]
    rows += [(name, _best(partial(render_check, result, name))) for name in CHECK_FORMATS]
    print(f"{'json.dumps of the findings':<28} {floor:8.3f} s")
    for name, took in rows:
        print(f"{name:<28} {took:8.3f} s   {took / floor:5.2f} times that")
