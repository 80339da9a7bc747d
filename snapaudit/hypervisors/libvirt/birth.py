"""When a file came into being, which Python does not tell. Source: Linux's page on statx(2)."""

from __future__ import annotations

import ctypes
import os
import struct

_RELATIVE_TO_HERE = -100  # AT_FDCWD
_BIRTH_WANTED = 0x800  # STATX_BTIME
_MASK, _BIRTH = struct.Struct("=I"), struct.Struct("=qI")
_BIRTH_AT, _ANSWER_BYTES = 80, 256
_STATX = getattr(ctypes.CDLL(None), "statx", None)


def birth_of(path: str) -> str | None:
    """Seconds and nanoseconds; None where the file system or the machine keeps no such time.

    A new file often gets the number of one just removed; together the two never come again.
    """
    if _STATX is None:
        return None
    answer = ctypes.create_string_buffer(_ANSWER_BYTES)
    if _STATX(_RELATIVE_TO_HERE, os.fsencode(path), 0, _BIRTH_WANTED, answer) != 0:
        return None
    if not _MASK.unpack_from(answer.raw)[0] & _BIRTH_WANTED:
        return None
    seconds, nanoseconds = _BIRTH.unpack_from(answer.raw, _BIRTH_AT)
    return f"{seconds}.{nanoseconds:09}"
