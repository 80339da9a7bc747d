"""TST-09, acting: the call that deletes is sent once, whatever becomes of its answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.proxy import Proxy
from tests.faults.network.ends import far_end
from tests.faults.network.farend import FarEnd
from tests.faults.network.outages import BREAKS, LOSSES, Loss
from tests.faults.network.post import post, told

pytestmark = pytest.mark.bed

PLATFORMS = ("libvirt", "vsphere", "hyperv", "xen")


@pytest.fixture(scope="module", params=PLATFORMS)
def far(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FarEnd]:
    with far_end(request.param, tmp_path_factory.mktemp("bed")) as one:
        yield one


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_tst_09_inv_16_answer_that_is_lost_is_unknown_and_the_call_is_sent_once(
    far: FarEnd, loss: Loss, tmp_path: Path
) -> None:
    with post(far, tmp_path, deadline="6s" if loss.is_silent else "30s") as one:
        plan = one.plan()
        far.when_changing = lambda: _lose(one.proxy, loss)
        ran = one.apply(plan)
        assert len(far.heard) == 1, told(ran)
        assert ran.code == 5, told(ran)
        assert "unknown" in ran.out
        assert one.events()[-1] == "unknown"
        one.finish(plan)
        assert far.heard == list(far.expected)
        assert "resolved" in one.events()


def _lose(proxy: Proxy, loss: Loss) -> None:
    if loss.heals:
        proxy.strike(loss.line)
    else:
        proxy.line = loss.line


@pytest.fixture(scope="module")
def said(far: FarEnd, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many bytes of answers an undisturbed run takes from the far end."""
    with post(far, tmp_path_factory.mktemp("calm")) as calm:
        plan, before = calm.plan(), sum(calm.proxy.answered)
        assert calm.apply(plan).code == 0
        assert far.heard == list(far.expected)
        return sum(calm.proxy.answered) - before


@pytest.mark.parametrize("part", BREAKS)
def test_tst_09_line_that_breaks_for_good_anywhere_costs_no_second_call_and_no_false_word(
    far: FarEnd, said: int, part: float, tmp_path: Path
) -> None:
    with post(far, tmp_path) as one:
        plan = one.plan()
        one.proxy.lasts = sum(one.proxy.answered) + int(said * part)
        ran = one.apply(plan)
        match ran.code:
            case 0:  # it looked less often than the calm run, and was through before its line broke
                assert (far.snapshots(), one.events()[-1]) == ([], "done"), told(ran)
                assert far.heard == list(far.expected)
            case 5:  # something was meant, and nobody can say whether it arrived
                assert one.events()[-1] == "unknown", told(ran)
                assert "unknown" in ran.out
            case _:  # nothing was sent, and what kept it from being sent is said
                assert ran.code in (3, 4), told(ran)
                assert (far.heard, far.snapshots()) == ([], ["old"]), told(ran)
        one.finish(plan)
        assert far.heard == list(far.expected)
