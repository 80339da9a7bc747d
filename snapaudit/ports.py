"""What the parts expect of each other: protocols only, no behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One sign of life while an endpoint is read."""

    endpoint: str
    phase: str
    seen: int = 0
    total: int | None = None


Progress = Callable[[Step], None]


class Hypervisor(Protocol):
    """One platform. A package outside adds its own under the entry points of the registry."""

    @property
    def kind(self) -> str:
        """The word after ``kind:`` in the configuration."""
        ...

    @property
    def options(self) -> Mapping[str, str]:
        """Endpoint options of this platform alone, each with the line that explains it."""
        ...

    def collect(
        self, endpoint: Endpoint, password: str | None, now: datetime, progress: Progress
    ) -> Inventory:
        """Read everything the endpoint shows, as of now, changing nothing.

        What cannot be read becomes a Gap. Raises HypervisorError when the endpoint as a whole
        cannot be read; may block for ever, the caller ends it at the deadline.
        """
        ...
