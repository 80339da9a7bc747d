"""Registry: what every fact is called, what it is about and how a bound for it is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from snapaudit.model.policy import SubjectKind
from snapaudit.rules.quantity import Bytes, Share, Unknown
from snapaudit.rules.scene import (
    DatastoreScene,
    EndpointScene,
    ExemptionScene,
    FileScene,
    MachineScene,
    SnapshotScene,
)

Measure = Callable[..., Any]
AnyFact = TypeVar("AnyFact", bound=Measure)
_UNIONS = (Union, UnionType)


class BoundType(StrEnum):
    """How the bound of a fact is written."""

    DURATION = "duration"
    SIZE = "size"
    RATIO = "ratio"
    COUNT = "count"
    BOOLEAN = "boolean"
    TEXT = "text"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that can be measured.

    ``words``: the only texts it can be, None for any text. ``argument``: what it needs to be told
    besides the scene, None for nothing. ``of``: the kind of subject that it is lent by.
    """

    name: str
    subject: SubjectKind
    bound_type: BoundType
    description: str
    measure: Measure
    words: tuple[str, ...] | None = None
    argument: str | None = None
    of: SubjectKind | None = None

    def about(self, argument: str) -> Fact:
        """The fact for one argument: ``attribute(owner)``."""
        measure = self.measure
        return replace(
            self,
            name=f"{self.name}({argument})",
            measure=lambda scene: measure(scene, argument),
            argument=None,
        )


_SUBJECTS: dict[type[Any], SubjectKind] = {
    SnapshotScene: SubjectKind.SNAPSHOT,
    MachineScene: SubjectKind.VIRTUAL_MACHINE,
    DatastoreScene: SubjectKind.DATASTORE,
    FileScene: SubjectKind.FILE,
    EndpointScene: SubjectKind.ENDPOINT,
    ExemptionScene: SubjectKind.EXEMPTION,
}
_BOUND_TYPES: dict[object, BoundType] = {
    timedelta: BoundType.DURATION,
    Bytes: BoundType.SIZE,
    Share: BoundType.RATIO,
    int: BoundType.COUNT,
    bool: BoundType.BOOLEAN,
    str: BoundType.TEXT,
    tuple[str, ...]: BoundType.TEXTS,
}
# A snapshot can be asked about its machine, and everything about its endpoint.
_LENT: dict[SubjectKind, tuple[tuple[SubjectKind, str, Measure], ...]] = {
    SubjectKind.VIRTUAL_MACHINE: ((SubjectKind.SNAPSHOT, "vm_", lambda scene: scene.machine),),
    SubjectKind.ENDPOINT: (
        (SubjectKind.SNAPSHOT, "endpoint_", lambda scene: scene.machine.endpoint),
        (SubjectKind.VIRTUAL_MACHINE, "endpoint_", lambda scene: scene.endpoint),
        (SubjectKind.DATASTORE, "endpoint_", lambda scene: scene.endpoint),
        (SubjectKind.FILE, "endpoint_", lambda scene: scene.endpoint),
    ),
}
_FACTS: dict[SubjectKind, dict[str, Fact]] = {kind: {} for kind in SubjectKind}


def fact(measure: AnyFact) -> AnyFact:
    """Register a function as a fact, by its own signature and docstring.

    A second parameter is what the fact needs to be told; its name is how a rule file tells it.
    """
    hints = get_type_hints(measure)
    bound_type, words = _bound_type(hints.pop("return"))
    (_, scene), *told = hints.items()
    own = Fact(
        name=measure.__name__,
        subject=_SUBJECTS[scene],
        bound_type=bound_type,
        description=inspect.getdoc(measure) or "",
        measure=measure,
        words=words,
        argument=told[0][0] if told else None,
    )
    for one in (own, *_lent(own)):
        _FACTS[one.subject][one.name] = one
    return measure


def _lent(own: Fact) -> Iterator[Fact]:
    """The fact as the subjects that belong to its own one answer it: ``vm_power``."""
    for subject, prefix, step in _LENT.get(own.subject, ()):
        name = f"{prefix}{own.name}"
        measure = _through(step, own)
        yield replace(own, name=name, subject=subject, measure=measure, of=own.subject)


def _through(step: Measure, own: Fact) -> Measure:
    measure = own.measure
    if own.argument is None:
        return lambda scene: measure(step(scene))
    return lambda scene, argument: measure(step(scene), argument)


def _bound_type(annotation: Any) -> tuple[BoundType, tuple[str, ...] | None]:
    parts = get_args(annotation) if get_origin(annotation) in _UNIONS else (annotation,)
    (kind,) = (part for part in parts if part is not Unknown)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        never = {"unknown"} if Unknown in parts else set()
        return BoundType.TEXT, tuple(str(word) for word in kind if word not in never)
    return _BOUND_TYPES[kind], None


def facts_of(subject: SubjectKind) -> dict[str, Fact]:
    """The facts about one kind of subject by name, in the order of their names."""
    return dict(sorted(_FACTS[subject].items()))


def all_facts() -> tuple[Fact, ...]:
    """Every fact, by subject and name."""
    return tuple(item for kind in SubjectKind for item in facts_of(kind).values())
