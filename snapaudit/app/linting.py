"""Lint an exemptions file: everything that is wrong with it, and what nobody needs any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from snapaudit.app.audit import audit, known_to, with_site
from snapaudit.codec.expect import nearest
from snapaudit.config.exemption import exemption_of
from snapaudit.config.exemptions import entries
from snapaudit.config.settings import Settings
from snapaudit.errors import InputError
from snapaudit.model.exemption import (
    Exemption,
    ExemptionLint,
    ExemptionState,
    Remark,
    RemarkLevel,
    Selector,
)
from snapaudit.model.finding import Audit, Undetermined
from snapaudit.model.inventory import Inventory
from snapaudit.model.policy import Policy, SubjectKind
from snapaudit.rules.exemptions import shared

NOTICE = timedelta(days=14)
_NOTHING_ACCEPTED = "exemption-unused"


def lint(
    settings: Settings, rules: Policy, inventories: Sequence[Inventory] | None, now: datetime
) -> ExemptionLint:
    """Every mistake of the file, and every exemption that should not be there as it is.

    ``inventories`` None: nothing was looked at, so that nobody can tell which accept nothing.
    """
    read = list(_read(settings, rules))
    sound = tuple(one for one in read if isinstance(one, Exemption))
    site = replace(with_site(rules, settings), exemptions=sound)
    seen = None if inventories is None else audit(inventories, site, now)
    both = {} if seen is None else shared(seen, site, now)
    remarks: list[Remark] = []
    for one in read:
        if isinstance(one, Remark):
            remarks.append(one)
        else:
            said = [*_said(one, sound, settings, rules, now)]
            said += _used(one, seen, both.get(one.id, Counter())) if seen is not None else ()
            remarks += [_warning(one, sentence) for sentence in said]
    return ExemptionLint(
        file=None if settings.exemptions.file is None else str(settings.exemptions.file),
        exemptions=len(sound),
        seen=tuple(one.endpoint for one in inventories or ()),
        remarks=tuple(remarks),
    )


def _read(settings: Settings, rules: Policy) -> Iterator[Exemption | Remark]:
    """Each entry as it can be read, or what is wrong with it; the rest of a broken file is lost."""
    known, strict = known_to(rules), settings.exemptions.require_ticket
    try:
        for entry, earlier in entries(settings.exemptions):
            try:
                yield exemption_of(entry, earlier, known, require_ticket=strict)
            except InputError as error:
                yield _error(error)
    except InputError as error:
        yield _error(error)


def _error(error: InputError) -> Remark:
    hint = f" (did you mean {error.nearest!r}?)" if error.nearest else ""
    return Remark(
        level=RemarkLevel.ERROR,
        place=str(error.place),
        exemption=None,
        sentence=f"{error.message}{hint}",
    )


def _warning(one: Exemption, sentence: str) -> Remark:
    return Remark(
        level=RemarkLevel.WARNING, place=str(one.place), exemption=one.id, sentence=sentence
    )


def _said(
    one: Exemption, others: Sequence[Exemption], settings: Settings, rules: Policy, now: datetime
) -> Iterator[str]:
    longest = settings.exemptions.max_life
    ends_at = one.ends_at(longest)
    if ends_at <= now:
        yield f"has ended ({one.end_said(longest)}) and accepts nothing any more"
    elif ends_at - now < NOTICE:
        yield f"ends soon: {one.end_said(longest)}"
    if one.expires_at > ends_at:
        allowed = f"no longer than {longest.days} days from its creation"
        yield f"is meant to last until {one.expires}, but counts {allowed}"
    if one.created_at > now:
        yield f"says that it was created on {one.created_at:%Y-%m-%d}, which is to come"
    if not one.has_owner:
        yield "names no owner who answers for it"
    for name in one.rules:
        if name in rules.disabled:
            yield f"the rule {name} is switched off, so there is nothing of it to accept"
    yield from _strange_endpoint(one, settings)
    yield from _covered(one, others, now, longest)


def _strange_endpoint(one: Exemption, settings: Settings) -> Iterator[str]:
    names = [endpoint.name for endpoint in settings.endpoints]
    wanted = one.selector.endpoint
    if wanted is not None and names and not any(fnmatchcase(name, wanted) for name in names):
        near = nearest(wanted, names)
        hint = f" (did you mean {near!r}?)" if near else ""
        yield f"no configured endpoint is called {wanted!r}{hint}"


def _covered(
    one: Exemption, others: Sequence[Exemption], now: datetime, longest: timedelta
) -> Iterator[str]:
    """Others in force that accept all that this one does, and for no shorter time."""
    end = one.ends_at(longest)
    for place, other in enumerate(others):
        if other is one or end <= now or other.ends_at(longest) < end:
            continue
        rules = [rule for rule in one.rules if rule in other.rules]
        is_twin = other.ends_at(longest) == end and _covers(one.selector, other.selector)
        # Of twins the later one is superfluous.
        is_told_there = is_twin and place > others.index(one)
        if rules and not is_told_there and _covers(other.selector, one.selector):
            yield f"{other.id} accepts the same already, of {', '.join(rules)}"


def _covers(wide: Selector, narrow: Selector) -> bool:
    """Whether one selector fits all that the other does, as far as their texts alone can tell."""
    wanted, given = wide.written(), narrow.written()
    for key, text in wanted.items():
        own = given.get(key)
        if own == text:
            continue
        if key in ("tags", "environment") or not isinstance(own, str):
            return False
        if not fnmatchcase(own, str(text)):
            return False
    return True


def _used(one: Exemption, seen: Audit, both: Counter[str]) -> Iterator[str]:
    """What a view tells of an exemption in force: that it accepts nothing, or shares what it does.

    ``both``: how many of its findings which others accept too. With something that it selects not
    seen, it is open whether it accepts nothing.
    """
    (standing,) = (each for each in seen.exemptions if each.id == one.id)
    if standing.state is ExemptionState.EXPIRED:
        return
    if not standing.findings:
        reason = next((gap.reason for gap in seen.undetermined if _asks_use(gap, one)), None)
        if reason is None:
            yield "accepts nothing, although all that it selects was seen"
        else:
            yield f"accepts nothing of what was seen; whether it is needed is open: {reason}"
    for other, number in both.items():
        many = "1 finding is" if number == 1 else f"{number} findings are"
        yield f"{many} accepted by {other} too"


def _asks_use(gap: Undetermined, one: Exemption) -> bool:
    about = (gap.subject.kind, gap.subject.id)
    return gap.rule == _NOTHING_ACCEPTED and about == (SubjectKind.EXEMPTION, one.id)
