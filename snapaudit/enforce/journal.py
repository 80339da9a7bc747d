"""The journal on disk: one writer, one write and one fsync an entry, verified at every opening.

A run that has no journal sends nothing: whatever goes wrong here is a JournalError, and from then
on this object writes no more (docs/safety.md, INV-14 and INV-20).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType

from snapaudit.codec.files import DISK, Disk, replace_file, sync_folder
from snapaudit.codec.strict import canonical
from snapaudit.enforce.chain import Chain, next_line, read_chain
from snapaudit.enforce.course import Course, Courses, Use
from snapaudit.enforce.state import State, distrust, opened, read_all
from snapaudit.errors import JournalError
from snapaudit.model.journal import Draft, Entry

MAX_BYTES = 2**30
_HEAD_BYTES = 4096


class Record:
    """What a journal says: its entries, and the questions that can be asked of them."""

    def __init__(self, chain: Chain) -> None:
        self._entries: list[Entry] = []
        self._courses = Courses()
        self.torn = chain.torn
        for entry in chain.entries:
            self._take(entry)

    def _take(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._courses.add(entry)

    @property
    def entries(self) -> Sequence[Entry]:
        """All entries, oldest first."""
        return self._entries

    @property
    def head(self) -> Entry | None:
        """The last entry; its hash vouches for all before it."""
        return self._entries[-1] if self._entries else None

    def of_action(self, action_id: str, plan_id: str | None = None) -> tuple[Entry, ...]:
        """The entries of an action, oldest first; of one plan's where plans share the id."""
        courses = self._courses.of_action(action_id)
        found = [e for course in courses for e in course.entries if plan_id in (None, e.plan_id)]
        return tuple(sorted(found, key=lambda entry: entry.seq))

    def of_plan(self, plan_id: str) -> tuple[Entry, ...]:
        """The entries of a plan, oldest first."""
        return tuple(entry for entry in self._entries if entry.plan_id == plan_id)

    def courses(self, action_id: str) -> tuple[Course, ...]:
        """The courses of an action id; more than one only if plans share it."""
        return self._courses.of_action(action_id)

    def open_actions(self) -> tuple[Course, ...]:
        """The actions of which nobody knows yet how they ended, in any plan."""
        return self._courses.open()

    def plan_use(self, plan_id: str, action_ids: Collection[str]) -> Use:
        """How far a plan is; ``action_ids`` are those that its reviewer wants applied."""
        return self._courses.use(plan_id, frozenset(action_ids))


def read_journal(state: State) -> Record:
    """The journal as it stands, verified and left as it is; empty where there is none.

    ``torn`` says that a last line was cut short, which the next run repairs. Raises JournalError.
    """
    try:
        with opened(state.journal) as handle:
            raw = _content(handle, state.journal)
    except FileNotFoundError:
        raw = b""
    except OSError as error:
        raise _failed(state.journal, "read", error) from error
    chain = read_chain(raw, str(state.journal))
    _check_head(state, chain)
    return Record(chain)


class Journal(Record):
    """The journal of a run that may change something. Whoever opens it holds the lock."""

    def __init__(self, state: State, clock: Callable[[], datetime], disk: Disk = DISK) -> None:
        """Open or create it, and cut a torn last line. Raises JournalError on any other damage."""
        self._state, self._clock, self._disk = state, clock, disk
        self._path = state.journal
        self._broken: str | None = None
        self._handle = _open_for_writing(self._path)
        try:
            chain = self._verified()
            super().__init__(chain)
            self.repaired = chain.torn
        except BaseException:
            os.close(self._handle)
            raise

    def _verified(self) -> Chain:
        try:
            raw = _content(self._handle, self._path)
            chain = read_chain(raw, str(self._path))
            _check_head(self._state, chain)
            if chain.torn is not None:
                os.ftruncate(self._handle, chain.length)
                self._disk.sync(self._handle)
            sync_folder(self._path.parent, self._disk)
        except OSError as error:
            raise _failed(self._path, "opened", error) from error
        self._size = chain.length
        return chain

    def append(self, draft: Draft) -> Entry:
        """Write the next entry and return once it would outlast a power cut.

        Raises JournalError when it may not be the next one, and when it cannot be written; from
        then on nothing more is written.
        """
        if self._broken is not None:
            raise JournalError(f"{self._path}: nothing more is written after: {self._broken}")
        entry, line = next_line(draft, self._clock(), self.head)
        self._courses.check(draft)
        try:
            self._check_untouched()
            self._write(line)
        except OSError as error:
            self._broken = error.strerror or str(error)
            raise _failed(self._path, "written", error) from error
        self._size += len(line)
        self._take(entry)
        return entry

    def _write(self, line: bytes) -> None:
        written = self._disk.write(self._handle, line)
        if written != len(line):
            raise OSError(0, f"only {written} of {len(line)} bytes were written")
        self._disk.sync(self._handle)

    def _check_untouched(self) -> None:
        ours, there = os.fstat(self._handle), os.lstat(self._path)
        if (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino):
            raise OSError(0, "the file was replaced during the run")
        if ours.st_size != self._size:
            raise OSError(0, "something else wrote to it during the run")

    def mark_head(self) -> None:
        """Note the last entry beside the journal, so that a shortened one is noticed."""
        if self.head is None:
            return
        note = canonical({"seq": self.head.seq, "hash": self.head.hash})
        try:
            replace_file(self._state.head, note + b"\n", self._disk)
        except OSError as error:
            raise _failed(self._state.head, "written", error) from error

    def close(self) -> None:
        """Let the file go; closing twice does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1
        self._broken = self._broken or "the journal was closed"

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _open_for_writing(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise _failed(path, "opened", error) from error


def _content(handle: int, path: Path) -> bytes:
    found = os.fstat(handle)
    complaint = distrust(found)
    if complaint is None and found.st_size > MAX_BYTES:
        complaint = "is larger than 1 GiB, which no journal is"
    if complaint is not None:
        raise JournalError(f"{path}: {complaint}")
    return read_all(handle, MAX_BYTES)


def _check_head(state: State, chain: Chain) -> None:
    try:
        with opened(state.head) as handle:
            raw = read_all(handle, _HEAD_BYTES)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _failed(state.head, "read", error) from error
    if not _is_noted(raw, chain):
        raise JournalError(
            f"{state.journal}: does not hold the entry that {state.head} notes as its last: the"
            " journal was replaced, shortened or put back from a backup, or the note is damaged."
            " Put back the journal that belongs here; if it is lost, look at every machine of the"
            " last run, then move both files away"
        )


def _is_noted(raw: bytes, chain: Chain) -> bool:
    try:
        note = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    if not isinstance(note, dict) or type(note.get("seq")) is not int:
        return False
    seq = note["seq"]
    return 1 <= seq <= len(chain.entries) and bool(chain.entries[seq - 1].hash == note.get("hash"))


def _failed(path: Path, what: str, error: OSError) -> JournalError:
    return JournalError(f"{path}: cannot be {what}: {error.strerror or error}. Nothing is sent")
