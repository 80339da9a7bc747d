"""Classifier: the purpose of one snapshot: proof first, then words, then the score."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

from snapaudit.model.inventory import Snapshot
from snapaudit.rules.purposes.expiry import ExpiryReader
from snapaudit.rules.purposes.folding import fold
from snapaudit.rules.purposes.lexicon import Lexicon, Topic, Word, read_words
from snapaudit.rules.purposes.markers import Marker, Markers
from snapaudit.rules.purposes.reading import PurposeWord, Reading
from snapaudit.rules.purposes.score import Clues, Company, score
from snapaudit.rules.purposes.weights import read_weights
from snapaudit.rules.quantity import Unknown


class Classifier:
    """Reads snapshots with the markers, words and weights of the data files."""

    def __init__(self) -> None:
        self._markers = Markers()
        self._lexicon = Lexicon(read_words())
        self._expiry = ExpiryReader(self._lexicon.words)
        self._weights = read_weights()

    def read(
        self,
        snapshot: Snapshot,
        age: timedelta | Unknown,
        company: Company,
        *,
        hypervisor: str,
        now: datetime,
    ) -> Reading:
        """The purpose of a snapshot with its score and reasons."""
        text = f"{snapshot.name}\n{snapshot.description}" if snapshot.description else snapshot.name
        marker, has_ticket = self._markers.find(hypervisor, snapshot.kind, text)
        topics = self._lexicon.topics(fold(text))
        expires_at = self._expires_at(text, topics)
        if marker is not None:
            return _proven(marker, has_ticket, expires_at)
        clues = Clues(snapshot, age, topics, has_ticket, expires_at, now, company)
        points, reasons = score(clues, self._weights)
        purpose = _by_words(topics)
        if purpose is PurposeWord.UNKNOWN and points >= self._weights.likely:
            purpose = PurposeWord.MAKESHIFT_BACKUP
        return Reading(
            purpose=purpose,
            is_proven=False,
            score=points,
            reasons=(*_in_words(purpose, topics), *reasons),
            has_ticket=has_ticket,
            expires_at=expires_at,
        )

    def _expires_at(self, text: str, topics: Mapping[Topic, Word]) -> datetime | Unknown | None:
        if Topic.UNTIL in topics or Topic.UNTIL_AFTER in topics:
            return self._expiry.expires_at(text)
        return None


@cache
def classifier() -> Classifier:
    """The classifier with the data files of the package, read once."""
    return Classifier()


def _proven(marker: Marker, has_ticket: bool, expires_at: datetime | Unknown | None) -> Reading:
    return Reading(
        purpose=marker.purpose,
        is_proven=True,
        score=0,
        reasons=(f"proof: marker of {marker.product}",),
        has_ticket=has_ticket,
        expires_at=expires_at,
    )


_DECIDING = {
    PurposeWord.CHANGE_SAFETY: (Topic.BEFORE, Topic.CHANGE, Topic.AFTER),
    PurposeWord.SCHEDULED: (Topic.SCHEDULE,),
    PurposeWord.REPLICATION: (Topic.REPLICATION,),
    PurposeWord.CLONE_BASE: (Topic.CLONE,),
    PurposeWord.AUTOMATION: (Topic.AUTOMATION,),
    PurposeWord.MAKESHIFT_BACKUP: (Topic.BACKUP, Topic.KEEP),
    PurposeWord.BACKUP_PRODUCT: (),
    PurposeWord.UNKNOWN: (),
}


def _by_words(topics: Mapping[Topic, Word]) -> PurposeWord:
    """What the words say. A change named beside the word backup wins: that is why it was taken."""
    if not topics:
        return PurposeWord.UNKNOWN
    if Topic.BEFORE in topics:
        return PurposeWord.CHANGE_SAFETY
    if Topic.SCHEDULE in topics and Topic.AFTER not in topics:
        return PurposeWord.SCHEDULED
    if Topic.REPLICATION in topics:
        return PurposeWord.REPLICATION
    if Topic.CLONE in topics:
        return PurposeWord.CLONE_BASE
    if Topic.AUTOMATION in topics:
        return PurposeWord.AUTOMATION
    return _backup_or_change(topics)


def _backup_or_change(topics: Mapping[Topic, Word]) -> PurposeWord:
    if Topic.CHANGE in topics:
        return PurposeWord.CHANGE_SAFETY
    if Topic.BACKUP in topics or Topic.KEEP in topics:
        return PurposeWord.MAKESHIFT_BACKUP
    return PurposeWord.UNKNOWN


def _in_words(purpose: PurposeWord, topics: Mapping[Topic, Word]) -> tuple[str, ...]:
    if purpose is PurposeWord.MAKESHIFT_BACKUP:
        return ()
    words = [topics[topic] for topic in _DECIDING[purpose] if topic in topics]
    return tuple(f"says {word.text.strip('*')!r} ({word.language})" for word in words)
