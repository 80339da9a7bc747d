"""The loop: change an example, run it, judge how it ended, keep what went somewhere new."""

from __future__ import annotations

import gc
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fuzz.finding import Finding, Kind, judged, smallest
from tests.fuzz.limits import MOST_SECONDS, NOTHING, Cost, Ended, measured
from tests.fuzz.mutate import Mutator
from tests.fuzz.novelty import Novelty
from tests.fuzz.target import Target

_MOST_FINDINGS = 20
_CORPUS = 4000
_CLEAN_EVERY, _CLEAN_ABOVE = 500, 16 * 2**20
# Watching costs several times what is watched: who takes long is run once more by itself.
_PATIENCE = 3
# A round in which everything is slow or large by now tells nothing more.
_MOST_COSTLY = 5
_VARIABLE = re.compile(r"\d+|'[^']*'|\"[^\"]*\"")


@dataclass
class Report:
    """What a round came to. ``worst`` are the highest costs of inputs that kept the promise."""

    target: str
    inputs: int = 0
    corpus: int = 0
    steps: int = 0
    seconds: float = 0.0
    worst: Cost = NOTHING
    findings: list[Finding] = field(default_factory=list)
    costly: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """When a round is over: by its inputs, so that it is the same each time, or by time."""

    inputs: int | None = None
    seconds: float | None = None

    def is_over(self, report: Report) -> bool:
        """Whether enough was tried, or found."""
        return (
            len(report.findings) >= _MOST_FINDINGS
            or report.costly >= _MOST_COSTLY
            or (self.inputs is not None and report.inputs >= self.inputs)
            or (self.seconds is not None and report.seconds >= self.seconds)
        )


class Round:
    """One target under one seed."""

    def __init__(
        self,
        target: Target,
        seed: int,
        note: Callable[[bytes], object] = lambda _: None,
        most: float = MOST_SECONDS,
    ) -> None:
        """``note`` is told each input before it is run, for the case that nothing comes after.

        ``most`` is how many seconds of processor time are not too slow.
        """
        self._target, self._note, self._most = target, note, most
        self._dice = random.Random(f"{seed}:{target.name}")
        self._novelty = Novelty()
        self._watched = self._novelty.watching(target.run)
        self._corpus: list[bytes] = []
        self._known: set[str] = set()
        self.report = Report(target.name)

    def go(self, stop: Stop) -> Report:
        """All examples, then changed ones until it is enough."""
        began = time.process_time()
        examples = list(self._target.examples())
        measured(self._target.run, examples[0], _PATIENCE)  # what is loaded once, and kept
        for example in examples:
            self._corpus.append(example)
            self._try(example)
        mutator = Mutator(self._target, self._dice, self._corpus)
        while not stop.is_over(self.report):
            self._try(mutator.changed(self._chosen()))
            self.report.seconds = time.process_time() - began
        self.report.corpus, self.report.steps = len(self._corpus), len(self._novelty.seen)
        return self.report

    def _chosen(self) -> bytes:
        """Half of the time one of the newest: they stand where it has just become interesting."""
        recent = self._corpus[-16:] if self._dice.random() < 0.5 else self._corpus
        return self._dice.choice(recent)

    def _try(self, data: bytes) -> None:
        self.report.inputs += 1
        self._note(data)
        ended = measured(self._watched, data, _PATIENCE * self._most)
        if ended.cost.held > _CLEAN_ABOVE or self.report.inputs % _CLEAN_EVERY == 0:
            gc.collect()  # the process of a round leaves this to us, so that no run pays for others
        if self._novelty.is_new(_ending(ended.error)) and len(self._corpus) < _CORPUS:
            self._corpus.append(data)
        if ended.cost.seconds > self._most:
            ended = self._alone(data)
        found = judged(self._target, data, ended, self._most)
        if found is None:
            self._remember(ended)
            return
        self.report.costly += found.kind in (Kind.SLOW, Kind.HUNGRY)
        if found.where not in self._known:
            self._known.add(found.where)
            self.report.findings.append(self._shortened(found))

    def _alone(self, data: bytes) -> Ended:
        """Unwatched, and the better of two: a neighbour on the same core makes anything slow."""
        first = measured(self._target.run, data, 2 * self._most)
        if first.cost.seconds <= self._most:
            return first
        second = measured(self._target.run, data, 2 * self._most)
        return min(first, second, key=lambda ended: ended.cost.seconds)

    def _remember(self, ended: Ended) -> None:
        worst, cost = self.report.worst, ended.cost
        self.report.worst = Cost(max(worst.seconds, cost.seconds), max(worst.held, cost.held))

    def _shortened(self, found: Finding) -> Finding:
        if found.kind is not Kind.CRASH:
            return found

        def is_still(data: bytes) -> bool:
            ended = measured(self._target.run, data, self._most)
            again = judged(self._target, data, ended, self._most)
            return again is not None and again.where == found.where

        data = smallest(found.data, is_still)
        return Finding(found.target, found.kind, found.where, data, found.told)


def _ending(error: BaseException | None) -> str:
    if error is None:
        return "well"
    return f"{type(error).__name__}: {_VARIABLE.sub('#', str(error))[:80]}"
