"""The ledger: which letters went to whom, so that nobody gets the same report twice.

``mailed.jsonl`` in the state folder, one entry a line. What may be sent is written down before the
server can take it, and what became of it after: an entry without an end is a mail that may have
been delivered.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType

from snapaudit.errors import RefusedError, SnapauditError
from snapaudit.model.letter import Fate, Letter

NAME = "mailed.jsonl"
_LARGEST = 64 * 1024 * 1024
_KEYS = ("at", "run", "part", "to", "attempt", "fate")
_MAYBE = "an earlier run had handed it over and did not see the end: it may have been delivered"


class Ledger:
    """The ledger of a state folder, locked from ``with`` to the end of the block."""

    def __init__(self, folder: Path) -> None:
        """Open and lock it. Raises RefusedError when another run is mailing, or it is no file."""
        self._path = folder / NAME
        self._handle = _opened(self._path)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._entries = _entries(self._path, self._handle)
        except BlockingIOError:
            os.close(self._handle)
            raise RefusedError(f"{self._path}: another run is mailing; wait for its end") from None
        except BaseException:
            os.close(self._handle)
            raise

    def fate(self, letter: Letter, recipient: str) -> tuple[Fate, str] | None:
        """What became of this letter to the recipient before; None: it was not handed over.

        The reason is empty where it was sent, and says so where nobody saw the end.
        """
        wanted = (letter.run, letter.part, recipient)
        fates = {fate for key, fate in self._entries.items() if key[:3] == wanted}
        if Fate.SENT in fates:
            return Fate.EARLIER, ""
        return (Fate.EARLIER, _MAYBE) if Fate.UNKNOWN in fates else None

    def attempt(self, letter: Letter, *, again: bool) -> int:
        """The number to send the letter under: 0, and one more each time it is to go out anew."""
        same = (key[3] for key in self._entries if key[:2] == (letter.run, letter.part))
        last = max(same, default=-1)
        return last + 1 if again else max(last, 0)

    def note(
        self, letter: Letter, recipients: Iterable[str], attempt: int, fate: Fate, now: datetime
    ) -> None:
        """Write down, durably, what became of it; ``unknown`` before it is known."""
        lines = b""
        for one in recipients:
            self._entries[letter.run, letter.part, one, attempt] = fate
            entry = {
                "at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
                "run": letter.run,
                "part": letter.part,
                "to": one,
                "attempt": attempt,
                "fate": fate.value,
            }
            lines += json.dumps(entry).encode() + b"\n"
        try:
            _append(self._handle, lines)
        except OSError as error:
            message = f"{self._path}: cannot be written, and nothing more is mailed"
            raise SnapauditError(f"{message}: {error.strerror}") from error

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._handle)


_Key = tuple[str, str, str, int]


def _opened(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise RefusedError(f"{path}: cannot be opened: {error.strerror}") from error


def _append(handle: int, lines: bytes) -> None:
    while lines:
        lines = lines[os.write(handle, lines) :]
    os.fsync(handle)


def _entries(path: Path, handle: int) -> dict[_Key, Fate]:
    """The latest fate of each letter to each recipient.

    A last line without its end is what a crash left: that letter had not been handed over.
    """
    body = os.pread(handle, _LARGEST + 1, 0)
    if len(body) > _LARGEST:
        raise RefusedError(f"{path}: is larger than 64 MiB; move it away")
    *whole, torn = body.split(b"\n")
    if torn:
        os.ftruncate(handle, len(body) - len(torn))
    return dict(_entry(path, number, line) for number, line in enumerate(whole, 1))


def _entry(path: Path, number: int, line: bytes) -> tuple[_Key, Fate]:
    try:
        found = json.loads(line)
        return _key(found), Fate(found["fate"])
    except (ValueError, KeyError, TypeError):
        message = f"expected an entry with {', '.join(_KEYS)}"
        repair = "look at it, then move the file away: the last report could then be mailed again"
        raise RefusedError(f"{path}:{number}: {message}; {repair}") from None


def _key(found: Mapping[str, object]) -> _Key:
    texts = tuple(found[name] for name in ("run", "part", "to"))
    attempt = found["attempt"]
    if not all(isinstance(one, str) for one in texts) or not isinstance(attempt, int):
        raise TypeError
    run, part, to = (str(one) for one in texts)
    return run, part, to, attempt
