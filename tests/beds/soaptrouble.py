"""What may happen to a call on its way to the simulator, and to the answer on its way back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Deed(Enum):
    """What a line does with a call."""

    LOSE = auto()
    """The server gets the call, and its answer is lost: the connection closes."""
    RESET = auto()
    """The server gets the call, and in the middle of its answer the connection is reset."""
    HANG = auto()
    """The server gets the call, and nothing comes back until the line ends or is released."""
    KEEP = auto()
    """The server never gets the call: the connection closes."""
    FAULT = auto()
    """The server never gets the call: it is answered with a fault in its place."""
    STATUS = auto()
    """The server never gets the call: it is answered with an HTTP status, as a proxy would."""
    DELAY = auto()
    """The server gets the call, and its answer comes so many seconds later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapTrouble:
    """What happens to the calls of a method from the ``nth`` on, so many ``times``.

    ``fault`` is the type of a fault, ``status`` an HTTP status, ``seconds`` a delay.
    """

    deed: Deed
    method: str
    nth: int = 1
    times: int = 1
    fault: str = "NotAuthenticated"
    status: int = 503
    seconds: float = 0.0

    def meets(self, number: int) -> bool:
        """Whether it happens to the call of this number, since the trouble was made."""
        return self.nth <= number < self.nth + self.times
