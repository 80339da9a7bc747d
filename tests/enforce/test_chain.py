"""The chain of the journal: an edit is noticed even where its line was made good again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snapaudit.enforce.chain import next_line, read_chain
from snapaudit.errors import JournalError
from snapaudit.model.journal import Event
from tests.builders import NOW
from tests.enforce.planned import draft


def test_s10_an_entry_rewritten_with_its_hash_reckoned_anew_breaks_the_chain() -> None:
    first, one = next_line(draft(), NOW, None)
    _, two = next_line(draft(Event.SUBMITTED), NOW, first)
    _, forged = next_line(replace(draft(), run_id="another"), NOW, None)
    assert len(read_chain(one + two, "journal").entries) == 2
    with pytest.raises(JournalError, match=r"line 2 .*does not follow from the line before it"):
        read_chain(forged + two, "journal")
