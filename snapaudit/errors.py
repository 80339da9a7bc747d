"""What stops a piece of work, as a tree.

SnapauditError
├── UsageError             an option or argument is wrong
├── InputError             a file is wrong: place, what was expected, nearest known word
├── RefusedError           a guard, a limit, a plan or a lock forbids to go on; nothing was changed
├── JournalError           the journal is damaged or cannot be written: nothing more may be sent
├── MailError              the mail server could not be used; no mail was sent
├── HistoryError           the history cannot be read or written; what is in it stays as it is
└── HypervisorError        an endpoint could not be worked with
    ├── MissingSdk           the extra with its SDK is not installed
    ├── Unreachable          name, port, daemon: nothing answered
    ├── AccessDenied         the login or a right was refused
    ├── Gone                 the object existed and no longer does
    └── CallRefused          a mutating call was refused, and nothing has changed

What is expected while looking is a value instead (Gap, Undetermined): it travels with the result.
Every message names the place and says what to do; none needs a traceback to be understood.
"""

from __future__ import annotations

from dataclasses import dataclass

from snapaudit.redaction import redacted


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file a person wrote; line and column count from 1."""

    source: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.source, self.line, self.column]
        return ":".join(str(part) for part in parts if part is not None)


class SnapauditError(Exception):
    """Anything this tool says in one line instead of a traceback.

    Its text may repeat what a server or an SDK said, and goes into reports and journals too: no
    password that is known stands in it.
    """

    def __str__(self) -> str:
        return redacted(super().__str__())


class UsageError(SnapauditError):
    """An option or argument is wrong."""


class InputError(SnapauditError):
    """A file a person or a program handed in is wrong at a known place."""

    def __init__(self, place: Place | str, message: str, *, nearest: str | None = None) -> None:
        self.place = place if isinstance(place, Place) else Place(place)
        self.message = message
        self.nearest = nearest
        hint = f" (did you mean {nearest!r}?)" if nearest else ""
        super().__init__(f"{self.place}: {message}{hint}")


class RefusedError(SnapauditError):
    """Something forbids to go on, and nothing was changed. The text names it and the way out."""


class JournalError(SnapauditError):
    """The journal is damaged, or cannot be written: nothing more may be sent."""


class HistoryError(SnapauditError):
    """The history cannot be read or written: why, and what repairs that."""


class MailError(SnapauditError):
    """The mail server could not be used: where it ended, why, and what repairs that."""


class HypervisorError(SnapauditError):
    """An endpoint could not be worked with."""


class MissingSdk(HypervisorError):
    """The optional dependency that talks to this platform is not installed."""


class Unreachable(HypervisorError):
    """Nothing answered at the endpoint's address, or the answer never came."""


class AccessDenied(HypervisorError):
    """The endpoint refused the login or a right."""


class Gone(HypervisorError):
    """The object was there and no longer is."""


class CallRefused(HypervisorError):
    """The platform refused a mutating call before anything changed."""
