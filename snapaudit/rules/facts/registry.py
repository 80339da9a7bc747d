"""Registry: what every fact is called, what it is about and how a bound for it is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar, get_args, get_type_hints

from snapaudit.model.policy import SubjectKind
from snapaudit.rules.quantity import Bytes, Share, Unknown
from snapaudit.rules.scene import (
    DatastoreScene,
    EndpointScene,
    FileScene,
    MachineScene,
    SnapshotScene,
)

Measure = Callable[[Any], Any]
AnyFact = TypeVar("AnyFact", bound=Measure)


class BoundType(StrEnum):
    """How the bound of a fact is written."""

    DURATION = "duration"
    SIZE = "size"
    RATIO = "ratio"
    COUNT = "count"
    BOOLEAN = "boolean"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that can be measured. ``words``: the only texts it can be, None for any text."""

    name: str
    subject: SubjectKind
    bound_type: BoundType
    description: str
    measure: Measure
    words: tuple[str, ...] | None = None


_SUBJECTS: dict[type[Any], SubjectKind] = {
    SnapshotScene: SubjectKind.SNAPSHOT,
    MachineScene: SubjectKind.VIRTUAL_MACHINE,
    DatastoreScene: SubjectKind.DATASTORE,
    FileScene: SubjectKind.FILE,
    EndpointScene: SubjectKind.ENDPOINT,
}
_BOUND_TYPES: dict[object, BoundType] = {
    timedelta: BoundType.DURATION,
    Bytes: BoundType.SIZE,
    Share: BoundType.RATIO,
    int: BoundType.COUNT,
    bool: BoundType.BOOLEAN,
    str: BoundType.TEXT,
}
_FACTS: dict[SubjectKind, dict[str, Fact]] = {kind: {} for kind in SubjectKind}


def fact(measure: AnyFact) -> AnyFact:
    """Register a function as a fact, by its own signature and docstring."""
    hints = get_type_hints(measure)
    bound_type, words = _bound_type(hints.pop("return"))
    (scene,) = hints.values()
    subject = _SUBJECTS[scene]
    _FACTS[subject][measure.__name__] = Fact(
        name=measure.__name__,
        subject=subject,
        bound_type=bound_type,
        description=inspect.getdoc(measure) or "",
        measure=measure,
        words=words,
    )
    return measure


def _bound_type(annotation: Any) -> tuple[BoundType, tuple[str, ...] | None]:
    parts = get_args(annotation) or (annotation,)
    (kind,) = (part for part in parts if part is not Unknown)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return BoundType.TEXT, tuple(str(word) for word in kind)
    return _BOUND_TYPES[kind], None


def facts_of(subject: SubjectKind) -> dict[str, Fact]:
    """The facts about one kind of subject by name, in the order of their names."""
    return dict(sorted(_FACTS[subject].items()))


def all_facts() -> tuple[Fact, ...]:
    """Every fact, by subject and name."""
    return tuple(item for kind in SubjectKind for item in facts_of(kind).values())
