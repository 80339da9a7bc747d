"""The table of mutants cannot rot: what a mutant replaces has to be there."""

from __future__ import annotations

import pytest

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.table import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.takes_away)
def test_tst_02_every_mutant_has_its_one_place(mutant: Mutant) -> None:
    text = (ROOT / mutant.path).read_text("utf-8")
    compile(mutant.applied_to(text), mutant.file, "exec")


def test_tst_02_there_are_at_least_thirty_mutants_and_no_two_alike() -> None:
    replaced = {(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}
    assert len(replaced) == len({m.takes_away for m in MUTANTS}) == len(MUTANTS) >= 30


def test_tst_02_a_mutant_without_its_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 times"):
        Mutant("enforce/guards.py", "not there", "", "nothing").applied_to("some text")
