"""Letter: a report on its way to somebody, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that travels with a letter; ``kind`` is its media type, like ``text/html``."""

    name: str
    kind: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is to be said to whom, and as part of what.

    ``run`` names the run that is reported, ``part`` whose part of it this is (``""``: all of it):
    together they say whether a recipient has had it. Subject, text and page hold nothing that a
    reader's program could take for a command.
    """

    run: str
    part: str
    to: tuple[str, ...]
    subject: str
    text: str
    page: str
    attachments: tuple[Attachment, ...] = ()


class Fate(StrEnum):
    """What became of a letter to one recipient."""

    SENT = "sent"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EARLIER = "earlier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The fate of a letter to one recipient.

    ``sent``: the server took it. ``refused``: it said no. ``failed``: it was not offered, or could
    not be. ``unknown``: the connection broke after all was handed over. ``earlier``: an earlier
    run of this program had it sent, or may have.
    """

    recipient: str
    part: str
    fate: Fate
    reason: str = ""

    @property
    def is_well(self) -> bool:
        """Whether nobody has to look after it."""
        return self.fate is Fate.SENT or (self.fate is Fate.EARLIER and not self.reason)
