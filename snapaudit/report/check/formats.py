"""Formats of a check: the names a user may ask for; each module is imported when it is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from snapaudit.model.check import Checked
from snapaudit.report.formats import known

CHECK_FORMATS: Mapping[str, str] = {
    name: f"snapaudit.report.check.{name}"
    for name in (
        *("text", "nagios", "checkmk", "json", "junit", "sarif", "gitlab", "github"),
        *("prometheus", "openmetrics", "tap"),
    )
}


def render_check(checked: Checked, name: str) -> bytes:
    """The verdict as a document; equal checks give equal bytes. Text is UTF-8.

    Raises UsageError for a format that does not exist.
    """
    rendered: bytes = import_module(known(CHECK_FORMATS, name)).render(checked)
    return rendered
