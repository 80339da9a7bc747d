"""What the parts expect of each other: protocols only, no behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from snapaudit.model.acting import Abilities, Call, Watched
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.examination import Peer, Probe
from snapaudit.model.inventory import Inventory
from snapaudit.model.plan import Action, VmId

# The phases that whoever reads endpoints tells; those between are the platform's own words.
WAITING, DONE, FAILED = "waiting", "done", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One sign of life while an endpoint is read; ``reason``: why it could not be, or not whole."""

    endpoint: str
    phase: str
    seen: int = 0
    total: int | None = None
    reason: str | None = None


Progress = Callable[[Step], None]


class Actuator(Protocol):
    """The hand that changes one endpoint.

    It exists only under ``enforce --apply``, and for a moment where a person stops a merge.
    It makes one call at a time for a machine and never repeats one by itself: no retry, no second
    login, no replay. Whatever it raises but `CallRefused` leaves open whether the call arrived.
    """

    def observe(self, vm_id: VmId) -> Inventory:
        """A fresh reading of one machine and all that must be known to judge it, changing nothing.

        Coverage says whether everything that could stand on its disks was seen. A machine that is
        no longer there is not in it. Raises HypervisorError when the endpoint cannot be read.
        """
        ...

    def next_call(self, action: Action, seen: Inventory, made: Sequence[Call]) -> Call | None:
        """The next mutating call towards the action's end, read off what is seen; None: no more.

        ``made`` are the calls of this action so far, in this run and in the journal. A call among
        them that is due again, since it had no effect, is answered with another way or with None.
        """
        ...

    def send(self, call: Call) -> str | None:
        """Make the call, once, and return at once with the platform's task id, if it has any.

        Raises CallRefused when the platform refused it and nothing has changed.
        """
        ...

    def watch(self, call: Call, task_id: str | None) -> Watched:
        """How far the call has come; also for one that another process sent, as far as visible."""
        ...

    def close(self) -> None:
        """Let the connection go. Never ends a merge."""
        ...


@runtime_checkable
class Stoppable(Actuator, Protocol):
    """An actuator that can take a merge under way back, which only a person may ask for."""

    def stop_of(self, merge: Call) -> Call | None:
        """The call that ends a merge and leaves machine and chain as before it; None: none can.

        What the merge has copied by then stays where it is.
        """
        ...


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

    @property
    def abilities(self) -> Abilities:
        """What enforcement can do here; planning needs it, and nothing that could act."""
        ...

    def actuator(self, endpoint: Endpoint, password: str | None) -> Actuator:
        """Log in as the account that may delete. Only ``enforce --apply`` asks for it.

        Raises HypervisorError; MissingSdk or UsageError where the platform cannot act at all.
        """
        ...


@runtime_checkable
class Preloadable(Protocol):
    """A platform that tells what it imports late, so that it is imported once for all processes."""

    @property
    def late_modules(self) -> tuple[str, ...]:
        """Modules that reading imports when it begins; what is not installed is passed over."""
        ...


@runtime_checkable
class Examinable(Protocol):
    """A platform that can say what works at an endpoint and what does not."""

    def peer(self, endpoint: Endpoint) -> Peer | None:
        """Whom to reach over the network, for name, port and certificate; None: nobody that way.

        Raises UsageError for an address that is none.
        """
        ...

    def examine(
        self, endpoint: Endpoint, password: str | None, enforcing: str | None, now: datetime
    ) -> Iterator[Probe]:
        """Log in, look at rights, clock, versions and what is visible, changing nothing.

        ``enforcing`` is the password of ``endpoint.enforce_as``, where there is such an account.
        Each probe comes as soon as it is known, so that it is not lost when the next one blocks.
        Raises HypervisorError when there is no going on; may block for ever.
        """
        ...
