"""Procedure: what the words and signs of a snapshot say it is for, step by step.

The first step that fits decides. Proof has been looked for before. Purpose beats mechanism, unless
a tool names itself; a change that is named beats the word backup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from snapaudit.rules.purposes.lexicon import Topic
from snapaudit.rules.purposes.reading import PurposeWord
from snapaudit.rules.purposes.signs import Sign
from snapaudit.rules.purposes.wording import Wording

_NONE: Final = frozenset[str]()
# No topic has these names. What a script makes of a name, and a person does not: the machine's own
# name in one word with the rest. What says no more than one word: of work or of a try it tells
# nothing that anybody could go back for. What a description adds to a word.
_SCRIPTED = "named by a script"
_BARE = "a bare word"
_DESCRIBED = "described"


@dataclass(frozen=True, slots=True)
class Step:
    """A purpose, and the topics and signs that must all, partly, and never be there for it."""

    purpose: PurposeWord
    all_of: frozenset[str] = _NONE
    any_of: frozenset[str] = _NONE
    none_of: frozenset[str] = _NONE

    @property
    def positive(self) -> frozenset[str]:
        """What speaks for it."""
        return self.all_of | self.any_of

    def fits(self, told: frozenset[str]) -> bool:
        """Whether the step decides."""
        return (
            self.all_of <= told
            and (not self.any_of or not self.any_of.isdisjoint(told))
            and self.none_of.isdisjoint(told)
        )


def _step(
    purpose: PurposeWord,
    *all_of: str,
    any_of: str | tuple[str, ...] = (),
    but: tuple[str, ...] = (),
) -> Step:
    return Step(purpose, frozenset(all_of), frozenset(any_of), frozenset(but))


_SCORED = frozenset((Topic.BACKUP, Topic.KEEP, Topic.MILESTONE))
_P, _T = PurposeWord, Topic
_BY_A_PERSON = (_T.BY_HAND, _T.RISK)
_OF_A_PERSON = (*_BY_A_PERSON, _T.CHANGE, _T.WORK, _T.AUTOMATION_TOOL, Sign.TICKET)
_ABOUT_NO_STATE = (_T.CHANGE, _T.WORK, _T.RISK, _T.AUTOMATION, Sign.TICKET, Sign.CHANGE)
_ABOUT_A_CHANGE = (_T.BEFORE, _T.CHANGE, _T.AFTER, _T.RISK)
STEPS = (
    # A tool that names itself.
    _step(_P.CLONE_BASE, _T.CLONE, any_of=(_T.AUTOMATION_TOOL,), but=(_T.BEFORE,)),
    _step(_P.CHANGE_SAFETY, _T.AUTOMATION_TOOL, _T.BY_HAND, _T.BEFORE),
    # Of two tools the one whose snapshots must not be touched.
    _step(_P.REPLICATION, _T.REPLICATION_TOOL, _T.AUTOMATION_TOOL, but=_ABOUT_A_CHANGE),
    _step(_P.BACKUP_PRODUCT, _T.BACKUP_TOOL, _T.AUTOMATION_TOOL, but=_ABOUT_A_CHANGE),
    _step(_P.AUTOMATION, _T.AUTOMATION_TOOL),
    # A product that tells of its own run: "taken before backup" announces no change.
    _step(_P.BACKUP_PRODUCT, _T.BACKUP_TOOL, _T.BACKUP, _T.BEFORE, but=_OF_A_PERSON),
    _step(_P.BACKUP_PRODUCT, _T.BACKUP_RUN, _T.BEFORE, but=_OF_A_PERSON),
    # "The last good one before the crash": what came is past, and the state is kept.
    _step(_P.MAKESHIFT_BACKUP, _T.BEFORE, _T.KEEP, but=_ABOUT_NO_STATE),
    # A change that is announced; "before the holidays" names a time and no change.
    _step(_P.CHANGE_SAFETY, _T.BEFORE, but=(_T.OCCASION,)),
    _step(_P.CHANGE_SAFETY, _T.BEFORE, any_of=(_T.CHANGE, _T.WORK, _T.RISK)),
    # A product that is named, and nothing that is done to it.
    _step(_P.MAKESHIFT_BACKUP, _T.BACKUP_TOOL, _T.BY_HAND, but=(_T.CHANGE,)),
    _step(_P.REPLICATION, _T.BACKUP_TOOL, _T.REPLICATION, but=(_T.CHANGE, _T.RISK)),
    _step(_P.BACKUP_PRODUCT, _T.BACKUP_TOOL, but=(_T.CHANGE, _T.AFTER, _T.RISK)),
    _step(_P.REPLICATION, _T.REPLICATION_TOOL, but=(_T.CHANGE, _T.AFTER, _T.RISK)),
    _step(_P.CLONE_BASE, _T.CLONE_TOOL, but=(_T.CHANGE, _T.AFTER, _T.RISK)),
    _step(_P.REPLICATION, _T.SCHEDULE_TOOL, _T.REPLICATION, but=(_T.CHANGE, _T.RISK)),
    _step(_P.SCHEDULED, _T.SCHEDULE_TOOL, but=(_T.CHANGE, _T.AFTER, _T.RISK)),
    # What others stand on.
    _step(_P.CLONE_BASE, _T.CLONE),
    _step(_P.REPLICATION, _T.REPLICATION, but=(_T.CHANGE, _T.RISK)),
    _step(_P.CLONE_BASE, _T.DESKTOP, any_of=(_T.INITIAL, _T.TEMPLATE)),
    _step(_P.CLONE_BASE, _T.TEMPLATE, but=(_T.BACKUP,)),
    _step(_P.BACKUP_PRODUCT, _T.BACKUP_RUN, but=(_T.CHANGE, *_BY_A_PERSON)),
    _step(_P.BACKUP_PRODUCT, _T.BACKUP, _T.TEMPORARY, but=(_T.CHANGE, *_BY_A_PERSON)),
    # A clock.
    _step(_P.MAKESHIFT_BACKUP, _T.BACKUP, _T.BY_HAND, but=(_T.CHANGE,)),
    _step(_P.SCHEDULED, _T.SCHEDULE, but=(_T.CHANGE, _T.AFTER)),
    _step(_P.SCHEDULED, _T.SCHEDULE, _T.BACKUP),
    _step(_P.BACKUP_PRODUCT, _T.BACKUP, _T.AUTOMATION, but=(_T.CHANGE, *_BY_A_PERSON)),
    _step(_P.AUTOMATION, _T.AUTOMATION),
    _step(_P.AUTOMATION, _T.AUTOMATIC, _T.TEMPORARY),
    _step(_P.SCHEDULED, _T.AUTOMATIC, but=(_T.CHANGE,)),
    # A state that was kept, and one that is only the beginning.
    _step(_P.MAKESHIFT_BACKUP, _T.KEEP, but=(Sign.TICKET, _T.RISK)),
    _step(_P.MAKESHIFT_BACKUP, _T.MILESTONE, but=(_T.CHANGE, _T.RISK)),
    _step(_P.MAKESHIFT_BACKUP, _T.INITIAL, _T.AFTER, _T.WORK, but=(_T.CHANGE, _T.RISK)),
    # A list of what is in it, or a base line that is described, is a state to come back to.
    _step(_P.MAKESHIFT_BACKUP, Sign.CONTENTS, any_of=(_T.INITIAL, _T.MILESTONE), but=(_T.RISK,)),
    _step(_P.MAKESHIFT_BACKUP, _T.BASELINE, _DESCRIBED, but=(_T.AFTER, _T.RISK)),
    _step(_P.UNKNOWN, any_of=(_T.INITIAL, _T.BASELINE), but=(_T.BACKUP, _T.RISK, _T.CHANGE)),
    _step(_P.UNKNOWN, _T.WORK, _BARE),
    # A change, announced or not.
    _step(_P.CHANGE_SAFETY, any_of=(_T.CHANGE, _T.RISK, _T.AFTER)),
    _step(_P.CHANGE_SAFETY, _T.WORK, but=(_T.BACKUP,)),
    # A copy: by a script that writes the machine's name or a stamp, else by a person.
    _step(_P.BACKUP_PRODUCT, _T.BACKUP, any_of=(_SCRIPTED, Sign.STAMP, Sign.JOB)),
    _step(_P.MAKESHIFT_BACKUP, any_of=(_T.BACKUP, _T.OCCASION)),
    # The number of a piece of work, and no word about it.
    _step(_P.CHANGE_SAFETY, Sign.ERRAND),
    # What nobody knows by name, but counts its jobs: most such programs make backups.
    _step(_P.BACKUP_PRODUCT, Sign.JOB),
)


def purpose_by_words(wording: Wording) -> tuple[PurposeWord, tuple[str, ...]]:
    """What the words say, and those that decided; unknown, and none, when no step fits."""
    told = frozenset(_told(wording))
    for step in STEPS:
        if step.fits(told):
            return step.purpose, tuple(_reasons(step, wording))
    return PurposeWord.UNKNOWN, ()


def _told(wording: Wording) -> Iterator[str]:
    yield from wording.topics
    yield from wording.signs
    if wording.names_machine and wording.is_one_word:
        yield _SCRIPTED
    if wording.is_described:
        yield _DESCRIBED
    if wording.is_bare:
        yield _BARE


def _reasons(step: Step, wording: Wording) -> Iterator[str]:
    """The words that decided. Those that the score prints speak for themselves."""
    for topic in Topic:
        if topic in wording.topics and topic in step.positive and topic not in _SCORED:
            word = wording.topics[topic]
            yield f"says {word.plain!r} ({word.language})"
    for sign in Sign:
        if sign in wording.signs and sign in step.positive:
            yield f"shows {wording.signs[sign]}"
    if _SCRIPTED in step.any_of and wording.names_machine:
        yield "is written in one word with the name of the machine, as scripts do"
