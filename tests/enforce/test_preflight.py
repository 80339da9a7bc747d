from __future__ import annotations

import pytest

from snapaudit.enforce.preflight import refuse_a_changed_world
from snapaudit.errors import RefusedError
from snapaudit.model.inventory import Inventory
from snapaudit.model.plan import Plan
from tests.enforce.planning import line, planned, view


def plan_of(count: int) -> Plan:
    return planned(view(*(line(f"m{n:02}", "9d") for n in range(count))))


def without(count: int, gone: int) -> Inventory:
    return view(*(line(f"m{n:02}", "9d") for n in range(gone, count)))


@pytest.mark.parametrize(
    ("count", "gone", "refused"), [(5, 3, False), (5, 4, True), (50, 5, False), (50, 6, True)]
)
def test_grd_09_three_or_a_tenth_may_have_changed_and_no_more(
    count: int, gone: int, refused: bool
) -> None:
    made = plan_of(count)
    seen = {"kvm1": without(count, gone)}
    actions = {action.id: action for action in made.actions}
    if refused:
        with pytest.raises(RefusedError, match=rf"^unchanged: {gone} of {count} targets"):
            refuse_a_changed_world(made.actions, (), actions, seen)
    else:
        refuse_a_changed_world(made.actions, (), actions, seen)


def test_endpoint_that_was_not_read_counts_as_changed() -> None:
    made = plan_of(4)
    with pytest.raises(RefusedError):
        refuse_a_changed_world(made.actions, (), {}, {})
