"""Budgets on the command line: ``--max-stale 10``, ``--max-stale critical=50``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from snapaudit.codec.expect import nearest
from snapaudit.config.check import GRADES, ONE_DAY, beyond
from snapaudit.errors import UsageError
from snapaudit.model.budget import Allowance, BudgetKind
from snapaudit.model.policy import Severity
from snapaudit.model.units import UnitError, parse_duration, parse_ratio, parse_size


def allowances(options: Mapping[BudgetKind, Iterable[str] | None]) -> tuple[Allowance, ...]:
    """What the options say, in the order of the kinds. Raises UsageError naming the option."""
    return tuple(
        one for kind in BudgetKind for text in options.get(kind) or () for one in _read(kind, text)
    )


def option(kind: BudgetKind) -> str:
    """The name of a budget's option: ``--max-stale``."""
    return f"--{kind.replace('_', '-')}"


def _read(kind: BudgetKind, text: str) -> Iterator[Allowance]:
    word, separator, number = text.rpartition("=")
    if kind is BudgetKind.FINDINGS:
        if not separator:
            example = "expected SEVERITY=N, like warning=20"
            raise UsageError(f"{option(kind)}: {example}, found {text!r}")
        severity = _word(kind, word, tuple(Severity))
        limit = _whole(kind, number)
        yield Allowance(kind=kind, limit=limit, beyond=beyond(kind, severity), of=severity)
    else:
        grade = _word(kind, word, GRADES) if separator else None
        yield Allowance(kind=kind, limit=_LIMITS[kind](kind, number), beyond=beyond(kind, grade))


def _word(kind: BudgetKind, word: str, known: Iterable[str]) -> Severity:
    words = [str(one) for one in known]
    if word not in words:
        near = nearest(word, words)
        hint = f"; did you mean {near!r}?" if near else ""
        found = f"expected one of {', '.join(words)}, found {word!r}"
        raise UsageError(f"{option(kind)}: {found}{hint}")
    return Severity(word)


def _whole(kind: BudgetKind, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        raise UsageError(f"{option(kind)}: expected a whole number, 0 or more, found {text!r}")
    return int(text)


def _with_unit(kind: BudgetKind, parse: Callable[[str], float], text: str) -> float:
    try:
        return parse(text)
    except UnitError as error:
        raise UsageError(f"{option(kind)}: {error}") from error


def _size(kind: BudgetKind, text: str) -> float:
    return _with_unit(kind, parse_size, text)


def _share(kind: BudgetKind, text: str) -> float:
    ratio = _with_unit(kind, parse_ratio, text)
    if ratio > 1:
        raise UsageError(f"{option(kind)}: expected a share of at most 100%, found {text!r}")
    return ratio


def _days(kind: BudgetKind, text: str) -> float:
    """Days may stand without their unit: the option's name has it."""
    if text.isascii() and text.isdecimal() and len(text) < 6:
        return int(text)
    return _with_unit(kind, lambda said: parse_duration(said).total_seconds() / ONE_DAY, text)


_LIMITS: Mapping[BudgetKind, Callable[[BudgetKind, str], float]] = {
    BudgetKind.STALE: _whole,
    BudgetKind.BYTES: _size,
    BudgetKind.NEW: _whole,
    BudgetKind.DAYS_TO_FULL: _days,
    BudgetKind.COVERAGE: _share,
}
