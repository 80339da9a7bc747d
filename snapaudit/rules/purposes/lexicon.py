"""Lexicon: the words of many languages that tell what a snapshot is for, as their files say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node, read_yaml
from snapaudit.errors import InputError, Place
from snapaudit.rules.purposes.catalogue import ProductName
from snapaudit.rules.purposes.reading import PurposeWord

_FOLDER = Path(__file__).parent / "words"
FIRST_UNSPACED = "\u0e00"  # Thai; the writings after it do not part their words, or glue to them


class Topic(StrEnum):
    """What a word speaks of; ``docs/purposes.md`` says what each is for."""

    BACKUP = "backup"
    BACKUP_RUN = "backup_run"
    TEMPORARY = "temporary"
    BY_HAND = "by_hand"
    KEEP = "keep"
    MILESTONE = "milestone"
    INITIAL = "initial"
    BASELINE = "baseline"
    BEFORE = "before"
    AFTER = "after"
    CHANGE = "change"
    WORK = "work"
    RISK = "risk"
    OCCASION = "occasion"
    SCHEDULE = "schedule"
    AUTOMATIC = "automatic"
    CLONE = "clone"
    TEMPLATE = "template"
    DESKTOP = "desktop"
    REPLICATION = "replication"
    AUTOMATION = "automation"
    BACKUP_TOOL = "backup_tool"
    REPLICATION_TOOL = "replication_tool"
    CLONE_TOOL = "clone_tool"
    AUTOMATION_TOOL = "automation_tool"
    SCHEDULE_TOOL = "schedule_tool"
    ACTOR = "actor"
    DUTY = "duty"
    UNTIL = "until"
    UNTIL_AFTER = "until_after"
    OTHER = "other"


_TOOLS = {
    PurposeWord.BACKUP_PRODUCT: Topic.BACKUP_TOOL,
    PurposeWord.REPLICATION: Topic.REPLICATION_TOOL,
    PurposeWord.CLONE_BASE: Topic.CLONE_TOOL,
    PurposeWord.AUTOMATION: Topic.AUTOMATION_TOOL,
    PurposeWord.SCHEDULED: Topic.SCHEDULE_TOOL,
}
TOOLS = frozenset(_TOOLS.values())
_IMAGES = frozenset(("master", "golden", "gold", "gi", "image", "base", "template", "parent"))


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
        return self.text.replace("*", "")


def read_words(folder: Path = _FOLDER) -> tuple[Word, ...]:
    """Every word of every language file of a folder. Raises InputError with the place.

    English comes first, since every other language borrows from it.
    """
    files = sorted(folder.glob("*.yaml"), key=lambda file: (file.stem != "en", file.stem))
    return tuple(word for file in files for word in _words_of(file))


def _words_of(file: Path) -> Iterator[Word]:
    keys = expect.mapping(read_yaml(file), (*Topic, "spaced"), required=("language",))
    language = expect.text(keys["language"])
    is_spaced = expect.boolean(keys["spaced"]) if "spaced" in keys else True
    for topic in Topic:
        if topic in keys:
            for text in _listed(keys[topic]):
                yield Word(topic, text, language, is_spaced, keys[topic].place)


def _listed(node: Node) -> Iterator[str]:
    """The entries of a text that parts them with commas: it is read ten times as fast as a list."""
    for entry in expect.text(node).rstrip(",\n ").split(","):
        text = " ".join(entry.split())
        if not text.strip("* "):
            raise InputError(node.place, "expected words between commas, found nothing")
        yield text


def words_of(names: Iterable[ProductName]) -> Iterator[Word]:
    """What people call products, as entries: each speaks of a tool with the purpose of its file.

    A name in a writing that does not part its words stands in the middle of others. "Citrix master"
    names an image and no product: it stays one when something in it was updated.
    """
    for name in names:
        for text in name.words:
            is_image = name.purpose is PurposeWord.CLONE_BASE and _names_an_image(text)
            topic = Topic.CLONE if is_image else _TOOLS[name.purpose]
            yield Word(topic, text, name.product, text[0] < FIRST_UNSPACED, name.place)


def _names_an_image(text: str) -> bool:
    return not _IMAGES.isdisjoint(text.split())
