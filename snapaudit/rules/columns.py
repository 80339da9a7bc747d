"""Columns: many scenes side by side, so that each fact is measured once for each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from snapaudit.model.finding import Subject
from snapaudit.rules.facts import Fact
from snapaudit.rules.quantity import Unknown

Asked = Callable[["Columns"], list[Any]]


class Columns:
    """Scenes of one kind with the values of their facts, measured when first asked for."""

    def __init__(self, scenes: Sequence[Any]) -> None:
        self.scenes = scenes
        self._values: dict[str, list[Any]] = {}
        self._is_known: dict[str, bool] = {}
        self._replies: dict[Asked, list[Any]] = {}
        self._subjects: dict[int, Subject] = {}

    def values(self, fact: Fact) -> list[Any]:
        """The value of a fact for each scene, in their order."""
        if fact.name not in self._values:
            measure = fact.measure
            self._values[fact.name] = [measure(scene) for scene in self.scenes]
        return self._values[fact.name]

    def are_known(self, fact: Fact) -> bool:
        """Whether no scene answered that it does not know."""
        if fact.name not in self._is_known:
            kinds = set(map(type, self.values(fact)))
            self._is_known[fact.name] = Unknown not in kinds
        return self._is_known[fact.name]

    def replies(self, ask: Asked) -> list[Any]:
        """The reply of a compiled condition for each scene, asked once."""
        if ask not in self._replies:
            self._replies[ask] = ask(self)
        return self._replies[ask]

    def subject(self, row: int) -> Subject:
        """What a finding about the scene in this row names."""
        if row not in self._subjects:
            self._subjects[row] = self.scenes[row].subject
        return self._subjects[row]
