"""Roles: whether a product that a text names made the snapshot, or is what somebody changes.

"Created by NAKIVO" and "nightly NAKIVO snapshot" are the product's own; "before the NAKIVO update"
and "NAKIVO 10.8 to 11" are a person's change to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from snapaudit.rules.purposes.finder import Hit
from snapaudit.rules.purposes.lexicon import Topic, Word

_ANNOUNCING = frozenset((Topic.BEFORE, Topic.AFTER))
_TELLING_OF_A_PERSON = frozenset((*_ANNOUNCING, Topic.RISK, Topic.BY_HAND))
_COPYING = frozenset((Topic.BACKUP_TOOL, Topic.BACKUP_RUN, Topic.REPLICATION_TOOL))
_NEARBY = 3


def is_changed(tool: Hit, hits: Sequence[Hit], words: Sequence[Word]) -> bool:
    """Whether the product is the object: a change stands close by, or one was announced before it.

    A product that acts ("by Ansible", "Ansible job", "Ansible patching") is none, whatever it was
    about to change; but "before the Ansible patching" says what was about to be done to it, and
    "pre-ansible" that a person is about to let it run.
    """
    if words[tool.number].topic is Topic.AUTOMATION_TOOL and _comes_next(tool, hits, words):
        return True
    topics = {topic: _of(topic, hits, words) for topic in (Topic.CHANGE, Topic.WORK, Topic.ACTOR)}
    acting = [actor for actor in topics[Topic.ACTOR] if _gap(tool, actor) <= 1]
    if any(actor.end <= tool.start for actor in acting):
        return False
    if acting and not _is_announced(tool, hits, words):
        return False
    changes = sorted((*topics[Topic.CHANGE], *topics[Topic.WORK]), key=lambda hit: hit.start)
    if any(tool.end <= change.start <= tool.end + _NEARBY for change in changes):
        return not _announced_between(tool, changes, hits, words)
    return any(change.end <= tool.start <= change.end + _NEARBY for change in changes)


def object_of_a_duty(hits: Sequence[Hit], words: Sequence[Word]) -> int | None:
    """Where the text begins that tells what a copying product works on, if it does so.

    "NAKIVO job patch servers" and "Veeam backup of the install server" name machines, no change.
    """
    duties = _of(Topic.DUTY, hits, words)
    if not duties or any(words[hit.number].topic in _TELLING_OF_A_PERSON for hit in hits):
        return None
    tools = [hit for hit in hits if words[hit.number].topic in _COPYING]
    of_tools = (
        duty.end for duty in duties for tool in tools if tool.start <= duty.start <= tool.end + 1
    )
    return min(of_tools, default=None)


def _comes_next(tool: Hit, hits: Sequence[Hit], words: Sequence[Word]) -> bool:
    """Whether a before stands right in front of the product."""
    return any(words[hit.number].topic is Topic.BEFORE and hit.end == tool.start for hit in hits)


def _is_announced(tool: Hit, hits: Sequence[Hit], words: Sequence[Word]) -> bool:
    """Whether a before or after stands close in front of the product."""
    return any(
        words[hit.number].topic in _ANNOUNCING and hit.end <= tool.start <= hit.end + _NEARBY
        for hit in hits
    )


def _announced_between(
    tool: Hit, changes: Sequence[Hit], hits: Sequence[Hit], words: Sequence[Word]
) -> bool:
    """Whether it is "Ansible: before patching", who and why, not "Ansible patching", what."""
    first = min(change.start for change in changes if change.start >= tool.end)
    return any(
        words[hit.number].topic in _ANNOUNCING and tool.end <= hit.start <= first for hit in hits
    )


def _of(topic: Topic, hits: Sequence[Hit], words: Sequence[Word]) -> list[Hit]:
    return [hit for hit in hits if words[hit.number].topic is topic]


def _gap(left: Hit, right: Hit) -> int:
    return max(left.start - right.end, right.start - left.end, 0)
