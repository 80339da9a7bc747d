"""A finding: an input that broke a promise, which one, where, and how to see it again."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.fuzz.limits import MOST_BYTES, MOST_SECONDS, Ended, TooSlow
from tests.fuzz.target import Target

FOUND = Path(__file__).parent / "found"
_ROUNDS = 400
_SHOWN = 200


class Kind(Enum):
    """Which promise was broken."""

    CRASH = "crash"
    SLOW = "slow"
    HUNGRY = "hungry"
    DIED = "died"


@dataclass(frozen=True, slots=True)
class Finding:
    """``where`` is the error with the innermost place in snapaudit: one finding for each."""

    target: str
    kind: Kind
    where: str
    data: bytes
    told: str

    def __str__(self) -> str:
        more = "..." if len(self.data) > _SHOWN else ""
        return (
            f"{self.target}: {self.kind.value}: {self.where}\n  {self.told}\n"
            f"  {len(self.data)} bytes: {self.data[:_SHOWN]!r}{more}"
        )

    def save(self, folder: Path) -> Path:
        """Keep the input under a name of its own, for the regression corpus."""
        name = f"{self.kind.value}-{hashlib.sha256(self.data).hexdigest()[:12]}"
        place = folder / self.target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self.data)
        return place


def judged(target: Target, data: bytes, ended: Ended, most: float = MOST_SECONDS) -> Finding | None:
    """What is wrong with the way a run ended; None: nothing."""
    error, cost = ended.error, ended.cost
    told = f"{cost.seconds:.2f} s, {cost.held / 2**20:.0f} MiB"
    if isinstance(error, TooSlow) or cost.seconds > most:
        return Finding(target.name, Kind.SLOW, _place(error), data, told)
    if isinstance(error, MemoryError) or cost.held > MOST_BYTES:
        return Finding(target.name, Kind.HUNGRY, _place(error), data, told)
    if error is not None and not isinstance(error, target.expected):
        return Finding(target.name, Kind.CRASH, _place(error), data, f"{error!r:.300}")
    return None


def _place(error: BaseException | None) -> str:
    if error is None:
        return "in the end"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        one for one in frames if "/snapaudit/" in one.filename and "/tests/" not in one.filename
    ]
    last = (ours or frames)[-1] if frames else None
    at = f"{last.filename.rpartition('/snapaudit/')[2]}:{last.name}" if last else "?"
    return f"{type(error).__name__} in {at}"


def smallest(data: bytes, is_still: Callable[[bytes], bool]) -> bytes:
    """The input with all taken out that is not needed for the finding, as far as patience goes."""
    rounds, size = 0, max(1, len(data) // 2)
    while rounds < _ROUNDS:
        at, shrunk = 0, False
        while at < len(data) and rounds < _ROUNDS:
            shorter = data[:at] + data[at + size :]
            rounds += 1
            if shorter != data and is_still(shorter):
                data, shrunk = shorter, True
            else:
                at += size
        if size == 1 and not shrunk:
            break
        size = size if shrunk and size == 1 else max(1, size // 2)
    return data
