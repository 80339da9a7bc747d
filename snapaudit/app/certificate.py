"""How long a certificate is valid, read off its DER form (RFC 5280, 4.1).

The standard library tells it only of certificates that it verified, not of pinned or refused ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

_SEQUENCE, _VERSION = 0x30, 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_FORMS = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}
_CENTURY_TURNS_AT = 2050


def not_after(der: bytes) -> datetime | None:
    """The last moment at which it is valid; None when that cannot be read."""
    try:
        [(_, certificate)] = _values(der)
        signed = list(_values(next(_values(certificate))[1]))
        fields = signed[1:] if signed[0][0] == _VERSION else signed
        _serial, _algorithm, _issuer, (kind, validity), *_ = fields
        _begin, (form, end) = _values(validity)
        return _moment(form, end) if kind == _SEQUENCE else None
    except (IndexError, ValueError, KeyError, StopIteration):
        return None


def _values(encoded: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each value, one after the other."""
    at = 0
    while at < len(encoded):
        tag, length, at = encoded[at], encoded[at + 1], at + 2
        if length & 0x80:
            octets = length & 0x7F
            length, at = int.from_bytes(encoded[at : at + octets], "big"), at + octets
        if at + length > len(encoded):
            raise ValueError("a value ends after its container")
        yield tag, encoded[at : at + length]
        at += length


def _moment(form: int, content: bytes) -> datetime:
    moment = datetime.strptime(content.decode("ascii"), _FORMS[form]).replace(tzinfo=UTC)
    if form == _UTC_TIME and moment.year >= _CENTURY_TURNS_AT:
        return moment.replace(year=moment.year - 100)
    return moment
