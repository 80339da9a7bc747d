"""The purpose that the words of a snapshot alone tell."""

from __future__ import annotations

from collections.abc import Mapping

from snapaudit.rules.purposes.lexicon import Topic, Word
from snapaudit.rules.purposes.reading import PurposeWord

_DECIDING: dict[PurposeWord, tuple[Topic, ...]] = {
    PurposeWord.CHANGE_SAFETY: (Topic.BEFORE, Topic.CHANGE, Topic.AFTER),
    PurposeWord.SCHEDULED: (Topic.SCHEDULE,),
    PurposeWord.REPLICATION: (Topic.REPLICATION,),
    PurposeWord.CLONE_BASE: (Topic.CLONE,),
    PurposeWord.AUTOMATION: (Topic.AUTOMATION,),
}
_ONE_TOPIC_IS_ENOUGH = (
    (Topic.REPLICATION, PurposeWord.REPLICATION),
    (Topic.CLONE, PurposeWord.CLONE_BASE),
    (Topic.AUTOMATION, PurposeWord.AUTOMATION),
    (Topic.CHANGE, PurposeWord.CHANGE_SAFETY),
    (Topic.BACKUP, PurposeWord.MAKESHIFT_BACKUP),
    (Topic.KEEP, PurposeWord.MAKESHIFT_BACKUP),
)


def purpose_by_words(topics: Mapping[Topic, Word]) -> PurposeWord:
    """What the words say. A change named beside the word backup wins: that is why it was taken."""
    if Topic.BEFORE in topics:
        return PurposeWord.CHANGE_SAFETY
    if Topic.SCHEDULE in topics and Topic.AFTER not in topics:
        return PurposeWord.SCHEDULED
    for topic, purpose in _ONE_TOPIC_IS_ENOUGH:
        if topic in topics:
            return purpose
    return PurposeWord.UNKNOWN


def deciding_words(purpose: PurposeWord, topics: Mapping[Topic, Word]) -> tuple[str, ...]:
    """The words that told this purpose, as reasons; those of the score speak for themselves."""
    words = [topics[topic] for topic in _DECIDING.get(purpose, ()) if topic in topics]
    return tuple(f"says {word.plain!r} ({word.language})" for word in words)
