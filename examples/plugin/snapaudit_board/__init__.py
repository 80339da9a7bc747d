"""The board as a hypervisor: one endpoint is one exported file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from snapaudit.errors import AccessDenied, Unreachable, UsageError
from snapaudit.model.acting import Abilities
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.ports import Actuator, Progress, Step
from snapaudit_board.translate import inventory


class Board:
    """Reads a file that ``url: file:///...`` names. It can delete nothing."""

    @property
    def kind(self) -> str:
        """The word after ``kind:`` in the configuration."""
        return "board"

    @property
    def options(self) -> Mapping[str, str]:
        """Keys that only endpoints of this kind have."""
        return {"zone": "where the board stands; told as the cluster of its host"}

    @property
    def abilities(self) -> Abilities:
        """Nothing: every snapshot is kept, and a plan says so."""
        return Abilities()

    def collect(
        self, endpoint: Endpoint, password: str | None, now: datetime, progress: Progress
    ) -> Inventory:
        """Everything on the board, as of now. Raises HypervisorError when it cannot be read."""
        progress(Step(endpoint=endpoint.name, phase="reading the board"))
        return inventory(_read(endpoint), endpoint, now)

    def actuator(self, endpoint: Endpoint, password: str | None) -> Actuator:
        """Always refused."""
        raise UsageError(f"{endpoint.name}: a board can only be read")


def _read(endpoint: Endpoint) -> object:
    path = Path(unquote(urlsplit(endpoint.url).path))
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except PermissionError as error:
        raise AccessDenied(f"{endpoint.name}: {path}: {error.strerror}") from error
    except (OSError, ValueError) as error:
        raise Unreachable(f"{endpoint.name}: {path} is no board: {error}") from error


BOARD = Board()
