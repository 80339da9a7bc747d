"""Classifier: the purpose of one snapshot: proof first, then words, then the score."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache, lru_cache

from snapaudit.model.inventory import Snapshot
from snapaudit.rules.purposes.catalogue import Marker
from snapaudit.rules.purposes.company import Company
from snapaudit.rules.purposes.expiry import Expiry, ExpiryReader
from snapaudit.rules.purposes.folding import fold
from snapaudit.rules.purposes.lexicon import Lexicon, read_words
from snapaudit.rules.purposes.markers import Markers
from snapaudit.rules.purposes.reading import PurposeWord, Reading
from snapaudit.rules.purposes.score import Clues, score
from snapaudit.rules.purposes.weights import read_weights
from snapaudit.rules.purposes.wording import Wording, WordingReader
from snapaudit.rules.purposes.words_only import deciding_words, purpose_by_words
from snapaudit.rules.quantity import Unknown

_REMEMBERED = 65536
_SCRIPT_WORDS = frozenset(
    ("svc", "service", "script", "cron", "batch", "automation", "scheduler", "backup", "bkp")
)
_ALWAYS_MISSING = ("earlier snapshots of the machine", "reverts", "backups made elsewhere")


class Classifier:
    """Reads snapshots with the markers, words and weights of the data files."""

    def __init__(self) -> None:
        lexicon = Lexicon(read_words())
        self._markers = Markers()
        self._wordings = WordingReader(self._markers, lexicon)
        self._expiry = ExpiryReader(lexicon.words)
        self._weights = read_weights()
        self._read_clues = lru_cache(_REMEMBERED)(self._from_clues)
        self._count_step = lru_cache(_REMEMBERED)(self._weights.count_step)

    def read(
        self, snapshot: Snapshot, age: timedelta | Unknown, company: Company, now: datetime
    ) -> tuple[Reading, Expiry]:
        """The purpose of a snapshot with score and reasons, and the last day that it declares."""
        wording = self._wordings.read(snapshot.name, snapshot.description)
        expiry = self._expires_at(snapshot, wording)
        marker = self._markers.of_kind(company.hypervisor, snapshot.kind) or wording.marker
        if marker is not None:
            return _proven(marker, wording.has_ticket), expiry
        is_unexpired = isinstance(expiry, datetime) and expiry > now
        return self._read_clues(self._clues(snapshot, age, company, wording, is_unexpired)), expiry

    def _expires_at(self, snapshot: Snapshot, wording: Wording) -> Expiry:
        if not wording.may_declare_expiry:
            return None
        told = self._expiry.expires_at(snapshot.description)
        return self._expiry.expires_at(snapshot.name) if told is None else told

    def _clues(
        self,
        snapshot: Snapshot,
        age: timedelta | Unknown,
        company: Company,
        wording: Wording,
        is_unexpired: bool,
    ) -> Clues:
        known_age = None if isinstance(age, Unknown) else age
        size, creator = snapshot.size_bytes, snapshot.creator
        return Clues(  # in the order of its fields: this is made once for every snapshot there is
            wording,
            self._weights.age_step(known_age),
            self._count_step(company.snapshots),
            company.rhythm,
            known_age is not None and known_age < self._weights.young_age,
            size is not None and _is_large(size, company, self._weights.large_share),
            is_unexpired,
            creator is not None and _is_script_account(creator),
            _missing(known_age is None, creator is None, size is None),
        )

    def _from_clues(self, clues: Clues) -> Reading:
        points, reasons = score(clues, self._weights)
        topics = clues.wording.topics
        purpose = purpose_by_words(topics)
        if purpose is PurposeWord.UNKNOWN and points >= self._weights.likely:
            purpose = PurposeWord.MAKESHIFT_BACKUP
        return Reading(
            purpose=purpose,
            is_proven=False,
            score=points,
            reasons=(*deciding_words(purpose, topics), *reasons),
            has_ticket=clues.wording.has_ticket,
        )


@cache
def classifier() -> Classifier:
    """The classifier with the data files of the package, read once."""
    return Classifier()


@lru_cache(_REMEMBERED)
def _proven(marker: Marker, has_ticket: bool) -> Reading:
    return Reading(
        purpose=marker.purpose,
        is_proven=True,
        score=0,
        reasons=(f"proof: marker of {marker.product}",),
        has_ticket=has_ticket,
    )


def _is_large(size_bytes: int, company: Company, share: float) -> bool:
    return bool(company.disk_bytes) and size_bytes > (company.disk_bytes or 0) * share


@lru_cache(_REMEMBERED)
def _is_script_account(creator: str) -> bool:
    return not _SCRIPT_WORDS.isdisjoint(fold(creator).split())


@cache
def _missing(no_age: bool, no_creator: bool, no_size: bool) -> tuple[str, ...]:
    """The evidence that could not be had, in words."""
    absent = {"its age": no_age, "its creator": no_creator, "its size": no_size}
    return (*(name for name, is_absent in absent.items() if is_absent), *_ALWAYS_MISSING)
