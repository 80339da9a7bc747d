"""The seam between what talks to a Windows host and what understands it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

Value = str | int | bool | None
Argument = Value | list["Argument"] | dict[str, "Argument"]


class Runner(Protocol):
    """One host, and one thread: nothing here is shared.

    Scripts are constant and shipped with this package; what varies travels as one JSON argument.
    """

    @property
    def host(self) -> str:
        """The host's address, as messages name it."""
        ...

    @property
    def is_verified(self) -> bool:
        """Whether the connection is encrypted and the other side proved who it is."""
        ...

    @property
    def has_sent(self) -> bool:
        """Whether the script of the last run may have reached the host."""
        ...

    def run(self, script: str, argument: Mapping[str, Argument]) -> Iterator[str]:
        """Run a shipped script (``collect``, ``remove``, ``watch``); its lines as they come.

        Raises HypervisorError: Unreachable, AccessDenied, each in one sentence with the repair. The
        shell on the host is always deleted. A script is never run a second time by itself.
        """
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...
