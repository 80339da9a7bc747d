"""JSON: the verdict as `snapaudit/check@1`."""

from __future__ import annotations

from snapaudit.model.check import Checked
from snapaudit.report.json import render as render_record


def render(checked: Checked) -> bytes:
    """The check's document, without the audit it came from."""
    return render_record(checked.check)
