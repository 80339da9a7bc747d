"""Lexicon: the words of many languages that tell what a snapshot is for, found in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import read_yaml
from snapaudit.errors import Place
from snapaudit.rules.patterns import PatternSet, as_utf8
from snapaudit.rules.purposes.folding import fold

_FOLDER = Path(__file__).parent / "words"


class Topic(StrEnum):
    """What a word speaks of."""

    BACKUP = "backup"
    KEEP = "keep"
    BEFORE = "before"
    AFTER = "after"
    CHANGE = "change"
    SCHEDULE = "schedule"
    CLONE = "clone"
    REPLICATION = "replication"
    AUTOMATION = "automation"
    UNTIL = "until"
    UNTIL_AFTER = "until_after"


@dataclass(frozen=True, slots=True)
class Word:
    """One entry: a word or phrase, its language, and whether that language parts its words."""

    topic: Topic
    text: str
    language: str
    is_spaced: bool
    place: Place

    @property
    def plain(self) -> str:
        """The entry without its stars."""
        return self.text.strip("*")


def read_words(folder: Path = _FOLDER) -> tuple[Word, ...]:
    """Every word of every language file of a folder. Raises InputError with the place."""
    files = sorted(folder.glob("*.yaml"))
    return tuple(word for file in files for word in _words_of(file))


def _words_of(file: Path) -> Iterator[Word]:
    keys = expect.mapping(read_yaml(file), (*Topic, "spaced"), required=("language",))
    language = expect.text(keys["language"])
    is_spaced = expect.boolean(keys["spaced"]) if "spaced" in keys else True
    for topic in Topic:
        for node in expect.sequence(keys[topic]) if topic in keys else ():
            yield Word(topic, expect.text(node), language, is_spaced, node.place)


class Lexicon:
    """Finds words in folded texts, and the topics that they speak of."""

    def __init__(self, words: Iterable[Word]) -> None:
        self.words = tuple(words)
        self._set = PatternSet((_pattern(word), word.place) for word in self.words)

    def numbers(self, folded: str) -> tuple[int, ...]:
        """The numbers of the words in a text that ``fold`` has folded, ascending."""
        return tuple(sorted(self._set.numbers(as_utf8(folded))))

    def topics(self, numbers: Iterable[int]) -> Mapping[Topic, Word]:
        """The topics of these words, each with the first word that speaks of it."""
        found: dict[Topic, Word] = {}
        for number in numbers:
            word = self.words[number]
            found.setdefault(word.topic, word)
        return found


def _pattern(word: Word) -> str:
    """The entry as it stands in folded text; folding leaves letters, zeros and spaces only."""
    folded = fold(word.text).strip()
    start = "" if word.text.startswith("*") or not word.is_spaced else " "
    end = "" if word.text.endswith("*") or not word.is_spaced else " "
    return f"{start}{folded}{end}"
