"""Attempts at running a script, one at a time: deadlines, and every failure in our words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, TypeVar

from snapaudit.hypervisors.hyperv import failures
from snapaudit.hypervisors.hyperv.connection import CONNECTING, Deadline
from snapaudit.hypervisors.hyperv.failures import Step
from snapaudit.hypervisors.hyperv.runner import Argument
from snapaudit.hypervisors.hyperv.transport import Wire

READ_TIMEOUT, OPERATION_TIMEOUT = 30.0, 20.0
PAUSE = 0.05
"""Seconds before a host that had nothing to say, and said so at once, is asked again."""
TIDYING = 5.0
"""Seconds for deleting a shell, whatever has happened before."""

Result = TypeVar("Result")


class Attempt:
    """What both client libraries have in common. ``is_broken``: its connection is of no use now."""

    def __init__(self, wire: Wire) -> None:
        self.wire, self.where = wire, wire.where
        self.deadline = Deadline(wire.seconds)
        self.is_broken = False

    def asked(self, step: Step, work: Callable[[], Result]) -> Result:
        """What a request returns; whatever it raises as HypervisorError. Made once."""
        if not self.deadline.left:
            self.is_broken = True  # it was shut at that moment
            raise failures.too_late(self.where, step, self.wire.seconds)
        try:
            return work()
        except Exception as error:
            self.is_broken = True
            if not self.deadline.left:
                raise failures.too_late(self.where, step, self.wire.seconds) from error
            raise failures.as_ours(error, self.where, step) from error

    def timeouts(self) -> tuple[float, float, int]:
        """Seconds to connect, to wait for an answer, and for the host to find one.

        Neither side waits longer than there is time, and the host gives up first.
        """
        reading = min(READ_TIMEOUT, max(2.0, self.deadline.left))
        working = int(min(OPERATION_TIMEOUT, max(1.0, reading - 1)))
        return min(CONNECTING, reading), reading, working

    def renew(self) -> None:
        """A short time more, for tidying up."""
        self.deadline.renew(min(TIDYING, self.wire.seconds))


class Call(Protocol):
    """One script on one host, over one of the libraries, from a shell's birth to its end."""

    has_sent: bool

    def lines(self, script: str, argument: Mapping[str, Argument]) -> Iterator[str]:
        """What the script prints. Raises HypervisorError, also when it fails."""
        ...


class WireRunner:
    """`Runner` over a wire. Every run connects anew; two at a time are refused."""

    def __init__(self, wire: Wire, call_over: Callable[[Wire], Call]) -> None:
        self._wire, self._call_over = wire, call_over
        self._turn = threading.Lock()
        self._call: Call | None = None

    @property
    def host(self) -> str:
        """The host's address."""
        return str(self._wire.address)

    @property
    def is_verified(self) -> bool:
        """Whether it proves who it is, and nobody on the way reads along."""
        return self._wire.is_verified

    @property
    def has_sent(self) -> bool:
        """Whether the script of the last run may have reached the host."""
        return self._call is not None and self._call.has_sent

    def run(self, script: str, argument: Mapping[str, Argument]) -> Iterator[str]:
        """The script's lines as they come. See `Runner`."""
        if not self._turn.acquire(blocking=False):
            raise RuntimeError("a runner does one thing at a time")
        try:
            self._call = self._call_over(self._wire)
            yield from self._call.lines(script, argument)
        finally:
            self._turn.release()

    def close(self) -> None:
        """Nothing is left open between runs."""
