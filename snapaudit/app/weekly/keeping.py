"""Keeping: the last recorded audit as a whole, so that a report can say all of it days later."""

from __future__ import annotations

import gzip
import os
import zlib
from dataclasses import dataclass
from datetime import datetime

from snapaudit.codec.documents import from_json, to_json
from snapaudit.enforce.state import State, distrust, opened, prepare, read_all, store
from snapaudit.errors import InputError, RefusedError
from snapaudit.model.finding import Audit

KEPT_SCHEMA = "snapaudit/kept-audit@1"
MAX_BYTES = 2**30
_QUICK = 1
_GZIP = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAudit:
    """The last recorded audit; ``recorded_at`` is the date under which the history has it."""

    schema: str = KEPT_SCHEMA
    recorded_at: datetime
    audit: Audit


def keep(audit: Audit, recorded_at: datetime, state: State) -> None:
    """Write the audit into the state folder, in place of the last one. Raises SnapauditError."""
    prepare(state)
    kept_audit = KeptAudit(recorded_at=recorded_at, audit=audit)
    body = to_json(kept_audit, indent=None).encode()
    store(state.last_audit, gzip.compress(body, _QUICK, mtime=0))


def kept(state: State) -> KeptAudit | None:
    """The audit that was kept last; None: there is none.

    Raises InputError for one that cannot be read, RefusedError where others could have written it.
    """
    source = str(state.last_audit)
    try:
        with opened(state.last_audit) as handle:
            complaint = distrust(os.fstat(handle))
            raw = read_all(handle, MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(source, f"cannot be read: {error.strerror}") from error
    if complaint is not None:
        raise RefusedError(f"{source}: {complaint}")
    return from_json(KeptAudit, _unpacked(raw, source), source)


def _unpacked(raw: bytes, source: str) -> bytes:
    """What was compressed; what is cut, or swells beyond all measure, is an InputError."""
    again = "delete it; the next `snapaudit audit` writes it anew"
    unpacking = zlib.decompressobj(_GZIP)
    try:
        body = unpacking.decompress(raw, MAX_BYTES)
    except zlib.error as error:
        raise InputError(source, f"is damaged: {error}; {again}") from error
    if not unpacking.eof:
        raise InputError(source, f"is cut, or larger than {MAX_BYTES // 2**20} MiB; {again}")
    return body
