"""Durations, sizes and shares as people write them, and back.

A bare number is refused: "3" may mean days to one reader and hours to the next.
"""

from __future__ import annotations

import re
from datetime import timedelta

DURATION_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
SIZE_UNITS = {
    "B": 1,
    "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50,
}  # fmt: skip

_NUMBER = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([A-Za-z%]*)", re.ASCII)
_DURATION = re.compile(r"(?:([0-9]{1,9}(?:\.[0-9]{1,6})?)([smhdw]))", re.ASCII)
_LONGEST = timedelta(days=365 * 200)


class UnitError(ValueError):
    """A quantity without a unit, or with one that does not fit. The text says what is accepted."""


def parse_duration(text: str) -> timedelta:
    """``"90s"``, ``"24h"``, ``"3d"``, ``"2w"`` or a sum such as ``"1d12h"`` to a timedelta."""
    pieces = _DURATION.findall(text.replace(" ", ""))
    if not pieces or "".join(number + unit for number, unit in pieces) != text.replace(" ", ""):
        raise UnitError(f"{text!r} is no duration; write a number with s, m, h, d or w, like 3d")
    try:
        total = timedelta(seconds=sum(float(n) * DURATION_UNITS[u] for n, u in pieces))
    except OverflowError:
        total = timedelta.max
    if total > _LONGEST:
        raise UnitError(f"{text!r} is longer than 200 years")
    return total


def parse_size(text: str) -> int:
    """``"500GiB"`` or ``"20 GB"`` to bytes. GB counts in thousands, GiB in 1024s."""
    matched = _NUMBER.fullmatch(text.strip())
    if matched is None or matched[2] not in SIZE_UNITS:
        raise UnitError(f"{text!r} is no size; write a number with B, MB, GB, MiB, GiB or TiB")
    return int(float(matched[1]) * SIZE_UNITS[matched[2]])


def parse_ratio(text: str) -> float:
    """``"85%"`` to 0.85. More than 100 % is allowed: datastores are over-committed."""
    matched = _NUMBER.fullmatch(text.strip())
    if matched is None or matched[2] != "%":
        raise UnitError(f"{text!r} is no share; write it in percent, like 85%")
    return float(matched[1]) / 100


def write_duration(duration: timedelta) -> str:
    """As ``parse_duration`` reads it: ``3d``, ``1d12h``, ``0s``. Not below zero."""
    microseconds = duration // timedelta(microseconds=1)
    parts = []
    for unit in ("d", "h", "m"):
        number, microseconds = divmod(microseconds, DURATION_UNITS[unit] * 10**6)
        parts += [f"{number}{unit}"] if number else []
    if microseconds or not parts:
        parts.append(f"{_decimal(microseconds, 10**6)}s")
    return "".join(parts)


def write_size(size: int) -> str:
    """As ``parse_size`` reads it, in the largest unit that needs no fraction: ``20GB``."""
    fitting = ((size // factor, unit) for unit, factor in SIZE_UNITS.items() if not size % factor)
    number, unit = min(fitting, key=lambda pair: (pair[0], pair[1] == "KB"))
    return f"{number}{unit}" if size else "0B"


def write_ratio(ratio: float) -> str:
    """As ``parse_ratio`` reads it: ``85%``, ``2.5%``."""
    return f"{_decimal(round(ratio * 10**8), 10**6)}%"


def _decimal(number: int, parts: int) -> str:
    whole, rest = divmod(number, parts)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".") if rest else str(whole)


def format_iso_duration(duration: timedelta) -> str:
    """ISO 8601, in days, hours, minutes and seconds: ``P3DT12H``, ``PT0S``."""
    sign = "-" if duration < timedelta(0) else ""
    seconds = round(abs(duration).total_seconds())
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    clock = "".join(f"{n}{u}" for n, u in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    if not days and not clock:
        return "PT0S"
    return f"{sign}P{f'{days}D' if days else ''}{f'T{clock}' if clock else ''}"


_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def parse_iso_duration(text: str) -> timedelta:
    """What ``format_iso_duration`` wrote, if it is not negative. Raises UnitError."""
    found = _ISO.fullmatch(text)
    if found is None:
        raise UnitError(f"expected an ISO 8601 duration like P3DT12H, found {text!r}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
