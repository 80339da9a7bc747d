"""Wording: what the text of a snapshot tells, read once for all texts of one shape."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from snapaudit.rules.patterns import PatternSet, as_utf8
from snapaudit.rules.purposes.catalogue import Field, Marker
from snapaudit.rules.purposes.finder import Finder, Hit
from snapaudit.rules.purposes.folding import MACHINE, decoded, tokens
from snapaudit.rules.purposes.lexicon import TOOLS, Topic, Word
from snapaudit.rules.purposes.markers import Markers
from snapaudit.rules.purposes.roles import is_changed, object_of_a_duty
from snapaudit.rules.purposes.shape import shape, text_of
from snapaudit.rules.purposes.signs import Sign, SignPattern

LONGEST_NAME = 300
LONGEST_DESCRIPTION = 1500
_CUT = (
    f"read in part: the first {LONGEST_NAME} signs of the name and {LONGEST_DESCRIPTION} of the "
    "description"
)
_REMEMBERED = 8192
_DATE_OR_COUNTER = re.compile(r"[0-9]{4}|[0-9][./-][0-9]|[0-9]$")
_B4 = re.compile(r"(?i)(?<![^\W_])b4(?![^\W_])")
_FEWEST_LETTERS_OF_A_MACHINE = 3
_SAYING_NOTHING = frozenset(("0", MACHINE, "snap", "snapshot", "checkpoint"))
_MOST_OF_A_BARE_NAME = 8  # a word, and the numbers of a day and a time
# A dataset or image in front of the name, as storage lists it: it names the disk.
_DATASET = re.compile(r"^(?:[^\s@]+/|[^\s@]*(?:disk|volume)[-_])[^\s@]+@(?=\S)")


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """What a text tells. Texts that tell the same share one object.

    ``topics`` holds the first word of each topic; ``signs`` what each sign says. ``names_machine``:
    the name holds the machine's own; ``is_one_word``: the name is written without a space;
    ``is_bare``: it is one entry of the lexicon and a number at most; ``is_described``: the
    description is a text of its own.
    """

    marker: Marker | None
    topics: Mapping[Topic, Word]
    signs: Mapping[Sign, str]
    names_machine: bool
    is_one_word: bool
    is_bare: bool
    is_described: bool
    has_number: bool
    is_cut: bool

    @property
    def has_ticket(self) -> bool:
        """Whether a ticket is named."""
        return Sign.TICKET in self.signs

    @property
    def product(self) -> str | None:
        """The backup or replication product that is named, and is not what somebody changes."""
        named = (self.topics.get(topic) for topic in (Topic.BACKUP_TOOL, Topic.REPLICATION_TOOL))
        return next((word.plain for word in named if word is not None), None)

    @property
    def cut(self) -> tuple[str, ...]:
        """That not all of the text was looked at, where that is so."""
        return (_CUT,) if self.is_cut else ()

    @property
    def may_declare_expiry(self) -> bool:
        """Whether a word announces or follows a last day."""
        return Topic.UNTIL in self.topics or Topic.UNTIL_AFTER in self.topics


class Told(NamedTuple):
    """What a field tells: its marker, the first word of each topic, its signs, by their numbers."""

    marker: int | None
    words: tuple[int, ...]
    signs: tuple[int, ...]
    is_bare: bool


_TOLD_BY_NOTHING = Told(None, (), (), is_bare=False)


class WordingReader:
    """Reads names and descriptions with markers, signs and the words of the lexicon.

    Names that differ in their digits alone are read once: every digit but 0 counts as 1. A large
    estate holds far fewer shapes than names.
    """

    def __init__(
        self, markers: Markers, signs: Sequence[SignPattern], words: Sequence[Word]
    ) -> None:
        self._markers = markers
        self._signs = signs
        self._sign_set = PatternSet((sign.pattern, sign.place) for sign in signs)
        self._words = words
        self._finder = Finder(words)
        self._read_shapes = lru_cache(_REMEMBERED)(self._read)
        self._told = lru_cache(_REMEMBERED)(self._field)
        self._shared = lru_cache(_REMEMBERED)(self._wording)

    def read(self, name: str, description: str, vm_name: str) -> Wording:
        """What a name and a description tell of a snapshot of a machine."""
        own = vm_name if len(vm_name) >= _FEWEST_LETTERS_OF_A_MACHINE else ""
        is_named = own != "" and (own in name or own in description)
        return self._read_shapes(
            shape(_spelt_out(name[: LONGEST_NAME + 1])),
            shape(_spelt_out(description[: LONGEST_DESCRIPTION + 1])),
            shape(own) if is_named else b"",
        )

    def _read(self, name_shape: bytes, description_shape: bytes, own_shape: bytes) -> Wording:
        own = text_of(own_shape)
        name, description = text_of(name_shape), text_of(description_shape)
        is_cut = len(name) > LONGEST_NAME or len(description) > LONGEST_DESCRIPTION
        name, description = decoded(name[:LONGEST_NAME]), decoded(description[:LONGEST_DESCRIPTION])
        in_name, named = self._told(name, Field.NAME, own)
        in_text, _ = self._told(description, Field.DESCRIPTION, own)
        has_number = _DATE_OR_COUNTER.search(name) is not None
        is_one_word = " " not in name.strip()
        is_described = description.strip() not in ("", name.strip())
        return self._shared(in_name, in_text, named, is_one_word, is_described, has_number, is_cut)

    def _field(self, text: str, field: Field, own: str) -> tuple[Told, bool]:
        """Marker, words and signs of one field by their numbers; whether it names the machine."""
        if not text:
            return _TOLD_BY_NOTHING, False
        without = _without(text, own)
        marker = self._markers.in_text(text, field)
        is_listed = field is Field.NAME and "@" in without
        spoken = _DATASET.sub("", without) if is_listed else without
        signs = tuple(sorted(self._sign_set.numbers(as_utf8(spoken))))
        words = tokens(spoken)
        hits = self._finder.hits(words)
        told = Told(marker, self._numbers(hits), signs, self._is_bare(words, hits))
        return told, without is not text

    def _is_bare(self, words: Sequence[str], hits: Sequence[Hit]) -> bool:
        """Whether one word that is an entry is all that there is besides numbers."""
        if not hits or len(words) > _MOST_OF_A_BARE_NAME:
            return False
        spoken = [word for word in words if word not in _SAYING_NOTHING]
        if len(spoken) != 1:
            return False
        entries = (self._words[hit.number] for hit in hits)
        return any(entry.is_spaced or entry.text == spoken[0] for entry in entries)

    def _numbers(self, hits: Sequence[Hit]) -> tuple[int, ...]:
        """The words found, the first of each topic; what is changed counts as the change."""
        served = object_of_a_duty(hits, self._words)
        if served is not None:
            hits = [hit for hit in hits if hit.start < served]
        first: dict[Topic, int] = {}
        for hit in hits:
            topic = self._words[hit.number].topic
            if topic is not Topic.OTHER and not self._is_changed(topic, hit, hits):
                first.setdefault(topic, hit.number)
        return tuple(first.values())

    def _is_changed(self, topic: Topic, hit: Hit, hits: Sequence[Hit]) -> bool:
        return topic in TOOLS and is_changed(hit, hits, self._words)

    def _wording(
        self,
        in_name: Told,
        in_text: Told,
        names_machine: bool,
        is_one_word: bool,
        is_described: bool,
        has_number: bool,
        is_cut: bool,
    ) -> Wording:
        topics: dict[Topic, Word] = {}
        for number in (*in_name.words, *in_text.words):
            topics.setdefault(self._words[number].topic, self._words[number])
        found = (self._signs[number] for number in (*in_name.signs, *in_text.signs))
        markers = [one.marker for one in (in_name, in_text) if one.marker is not None]
        return Wording(
            marker=self._markers.markers[min(markers)] if markers else None,
            topics=topics,
            signs={pattern.sign: pattern.says for pattern in found},
            names_machine=names_machine,
            is_one_word=is_one_word,
            is_bare=in_name.is_bare and not is_described,
            is_described=is_described,
            has_number=has_number,
            is_cut=is_cut,
        )


def _spelt_out(text: str) -> str:
    """The text with the one word that has a digit in it, which its shape would hide: ``b4``."""
    return _B4.sub("before", text) if "4" in text else text


def _without(text: str, own: str) -> str:
    """The text with the machine's own name, where it stands by itself, as one sign."""
    if not own or own not in text:
        return text
    return re.sub(rf"(?<![^\W_]){re.escape(own)}(?![^\W_])", f" {MACHINE} ", text)
