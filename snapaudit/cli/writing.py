"""Where results go: standard output, or files by ``-o PATH`` and ``-o FORMAT=PATH``."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from snapaudit.codec.expect import nearest
from snapaudit.codec.files import replace_file
from snapaudit.errors import SnapauditError, UsageError

_OWNER_ALONE = 0o600
# Nobody named a wrong place: the disk is full, its quota used up, or it is broken.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO}
_STREAMS = ("/dev/fd/", "/dev/stdout", "/dev/stderr", "/proc/")
# node_exporter runs as a user of its own, and reads what others wrote.
_OTHERS_READ = {"prometheus": 0o644, "openmetrics": 0o644}


@dataclass(frozen=True, slots=True)
class Target:
    """One result to write; no path means standard output."""

    format: str
    path: Path | None


def targets(
    chosen: str | None, outputs: Collection[str], formats: Collection[str], default: str
) -> tuple[Target, ...]:
    """What to write where. Standard output gets the result unless a plain PATH takes it."""
    main = _known(chosen or default, formats)
    named, plain = [], []
    for output in outputs:
        word, separator, path = output.partition("=")
        if separator and word in formats:
            named.append(Target(word, Path(path)))
        else:
            plain.append(Target(main, Path(output)))
    only_files = bool(named) and chosen is None
    return (*(plain or (() if only_files else (Target(main, None),))), *named)


def _known(word: str, formats: Collection[str]) -> str:
    if word not in formats:
        near = nearest(word, formats)
        hint = f"; did you mean {near!r}?" if near else ""
        raise UsageError(f"unknown format {word!r}; there are {', '.join(formats)}{hint}")
    return word


def write(where: tuple[Target, ...], render: Callable[[str], bytes]) -> None:
    """Render each target and write it whole or not at all."""
    for target in where:
        body = render(target.format)
        if target.path is None:
            _print(body)
        else:
            write_file(target.path, body, mode=_OTHERS_READ.get(target.format, _OWNER_ALONE))


def _print(body: bytes) -> None:
    try:
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SnapauditError(f"the result cannot be written: {error.strerror}") from error


def write_file(path: Path, body: bytes, *, mode: int = _OWNER_ALONE) -> None:
    """Replace a file in one step, so that a full disk leaves the old one as it was.

    What is no file is written into: a device, a pipe, or what a link such as /dev/stdout leads to.
    As root, replacing would make a plain file of /dev/null, and break the whole machine. A link to
    a file stays a link.
    """
    try:
        if _is_no_file(path):
            path.write_bytes(body)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path.resolve(), body, mode=mode)
    except OSError as error:
        message = f"{path}: cannot be written: {error.strerror}"
        if error.errno in _DISK:
            raise SnapauditError(message) from error
        raise UsageError(message) from error


def _is_no_file(path: Path) -> bool:
    is_a_stream = str(path).startswith(_STREAMS)
    return is_a_stream or (path.exists() and not path.is_file())
