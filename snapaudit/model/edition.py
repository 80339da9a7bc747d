"""Edition: one published report in the reports folder, in the few words that a list needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from snapaudit.model.check import Status
from snapaudit.model.weekly import KeyName

EDITION_SCHEMA = "snapaudit/edition@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A published report. ``files`` maps each of its files to the SHA-256 of what was written.

    ``sentence`` is the verdict in words, with what was not seen. ``numbers`` are the key numbers;
    None: unknown.
    """

    schema: str = EDITION_SCHEMA
    reported_at: datetime
    status: Status
    sentence: str
    numbers: Mapping[KeyName, int | None]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """A dated folder of the reports folder; ``complaint`` says why its edition cannot be read."""

    day: str
    edition: Edition | None
    complaint: str = ""
