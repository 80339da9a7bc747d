"""One attempt at running one script: its deadline, and every failure in our words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from snapaudit.hypervisors.hyperv import failures
from snapaudit.hypervisors.hyperv.connection import CONNECTING, Deadline
from snapaudit.hypervisors.hyperv.failures import Step
from snapaudit.hypervisors.hyperv.transport import Wire

READ_TIMEOUT, OPERATION_TIMEOUT = 30.0, 20.0
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
