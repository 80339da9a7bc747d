"""Identity: what makes a subject the same one from run to run, whatever it is called.

It becomes a number of 63 bits, so that a row needs no look-up and a run is written in one go.
Among a million subjects two share a number in one of twenty million histories, and no deletion
rests on it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from snapaudit.model.finding import Subject
from snapaudit.model.inventory import Snapshot
from snapaudit.model.policy import SubjectKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def number_of(kind: str, endpoint: str, vm_id: str | None, native: str, mark: str = "") -> int:
    """The number of a subject by its ids. ``mark`` tells apart what had the same id in turn."""
    text = "\x1f".join((kind, endpoint, vm_id or "", native, mark))
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def number_of_snapshot(endpoint: str, vm_id: str, snapshot: Snapshot) -> int:
    """The number of a snapshot: one that was taken anew under the same id is another one."""
    return number_of(SubjectKind.SNAPSHOT, endpoint, vm_id, snapshot.id, _mark(snapshot))


def number_of_subject(subject: Subject) -> int:
    """The number of what is no snapshot."""
    vm_id = None if subject.kind is SubjectKind.VIRTUAL_MACHINE else subject.vm_id
    return number_of(subject.kind, subject.endpoint, vm_id, subject.id)


def _mark(snapshot: Snapshot) -> str:
    """The platform's fingerprint without what was read off its images, which it may outlive."""
    if snapshot.identity is not None:
        return snapshot.identity.partition(".")[0]
    return str(int(snapshot.created_at.timestamp())) if snapshot.created_at else ""


def storable(text: str) -> str:
    """Text that both databases hold: no lone surrogate, no NUL. It is for people, not for ids."""
    if text.isprintable() and text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def to_number(moment: datetime) -> int:
    """A time as the database holds it: microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def to_moment(number: int) -> datetime:
    """And back."""
    return _EPOCH + number * _MICROSECOND
