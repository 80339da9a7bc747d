"""JSON: the whole record, for programs."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from snapaudit.codec.documents import to_bytes
from snapaudit.errors import InputError
from snapaudit.model.check import Check
from snapaudit.model.examination import Examinations
from snapaudit.model.exemption import ExemptionLint, ExemptionList
from snapaudit.model.explanation import Explanation, RuleExplanation
from snapaudit.model.finding import Audit
from snapaudit.model.history import Diff, Runs
from snapaudit.model.outcome import RunReport
from snapaudit.model.past import Forecasts
from snapaudit.model.plan import Plan
from snapaudit.model.weekly import WeeklyReport
from snapaudit.report.escape import storable

_Judged = Audit | Check | Diff | Explanation | Forecasts | RuleExplanation | Runs | WeeklyReport
_Kept = ExemptionLint | ExemptionList | Examinations | Plan | RunReport
Document = _Judged | _Kept


def render(record: Document) -> bytes:
    """The record as its JSON document. A text that UTF-8 cannot hold is written with its codes."""
    try:
        return to_bytes(record)
    except InputError:
        return to_bytes(_storable(record))


def _storable(value: Any) -> Any:
    match value:
        case str():
            return value if value.isascii() else type(value)(storable(value))
        case tuple():
            return tuple(_storable(item) for item in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            names = (field.name for field in fields(value))
            return replace(value, **{name: _storable(getattr(value, name)) for name in names})
        case _:
            return value
