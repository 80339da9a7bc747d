"""Judging the classifier: its purposes held against those that people gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from snapaudit.rules.purposes.classifier import Classifier
from snapaudit.rules.purposes.company import Company
from snapaudit.rules.purposes.reading import PurposeWord
from snapaudit.rules.quantity import Unknown
from tests.builders import NOW, snapshot
from tests.rules.purposes.labelled import LabelledName

PROTECTED = frozenset((PurposeWord.BACKUP_PRODUCT, PurposeWord.REPLICATION, PurposeWord.CLONE_BASE))


@dataclass(frozen=True, slots=True)
class Judgement:
    """How often each purpose was given by a person and by the classifier: (person, tool)."""

    counts: Counter[tuple[str, str]]

    @property
    def names(self) -> int:
        """How many were judged."""
        return self.counts.total()

    def f1(self, purpose: str) -> float:
        """Twice the hits over all that person or tool called so; 1 where neither did."""
        called = sum(n * ((a == purpose) + (b == purpose)) for (a, b), n in self.counts.items())
        return 2 * self.counts[purpose, purpose] / called if called else 1.0

    @property
    def macro_f1(self) -> float:
        """The mean over the purposes that occur."""
        occurring = sorted({given for given, _ in self.counts})
        return sum(self.f1(purpose) for purpose in occurring) / len(occurring)

    @property
    def protected_recall(self) -> float:
        """The share of what must not be touched that the tool leaves alone, whatever the reason."""
        theirs = [(b, n) for (a, b), n in self.counts.items() if a in PROTECTED]
        return sum(n for b, n in theirs if b in PROTECTED) / sum(n for _, n in theirs)


def judge(names: Iterable[LabelledName], classifier: Classifier) -> Judgement:
    """The judgement of some names. The classifier sees no label, note, source or language."""
    return Judgement(Counter((name.label, purpose(name, classifier)) for name in names))


def purpose(name: LabelledName, classifier: Classifier) -> str:
    """What the classifier says of a name, knowing no more than the columns tell."""
    shot = snapshot(
        name.name,
        description=name.description,
        creator=name.creator or None,
        created_at=None,
        has_memory=name.memory,
        is_quiesced=name.quiesced,
    )
    company = Company(name.hypervisor, 1, None, None, vm_name=name.vm_name)
    reading, _ = classifier.read(shot, Unknown("no age is told"), company, NOW)
    return reading.purpose
