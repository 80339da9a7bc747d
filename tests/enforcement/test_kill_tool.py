"""TST-03: the tool is killed at every entry of its journal; a later run ends as undisturbed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue

import pytest

from tests.beds.guests import Life
from tests.enforcement.dying import Moment
from tests.enforcement.killing import End, Lab, Scene, lab, staged

pytestmark = pytest.mark.bed

_BESIDE_EACH_OTHER = 4

NATIVE = Scene(Life.RUNNING, external=True, target="s1")
INTERNAL = Scene(Life.OFF, external=False, target="s1")
BY_HAND = Scene(Life.RUNNING, external=True, target="s2", options={"merge": "manual"})
OFFLINE = Scene(Life.OFF, external=True, target="s1", options={"merge": "manual"})
SCENES = {"native": NATIVE, "internal": INTERNAL, "by-hand": BY_HAND, "offline": OFFLINE}


@pytest.fixture(scope="module")
def labs() -> Iterator[SimpleQueue[Lab]]:
    """Daemons of their own: what happens on one must not disturb the view of another."""
    with ExitStack() as stack:
        free: SimpleQueue[Lab] = SimpleQueue()
        for _ in range(_BESIDE_EACH_OTHER):
            free.put(stack.enter_context(lab()))
        yield free


def undisturbed(here: Lab, name: str) -> tuple[End, Counter[str], int]:
    """How it ends, what is sent until then, and how many entries the journal has."""
    with staged(here, SCENES[name]) as stage:
        stage.finish(stage.plan())
        return stage.end(), stage.sent(), len(stage.entries)


def killed(
    here: Lab, name: str, point: tuple[Moment, int], end: End, sent: Counter[str]
) -> str | None:
    """What is not as in the undisturbed run; None where all is."""
    with staged(here, SCENES[name]) as stage:
        plan, (moment, at) = stage.plan(), point
        assert stage.dies(plan, moment, at)
        stage.finish(plan)
        differences = []
        if (found := stage.sent()) != sent:
            differences.append(f"sent {found} instead of {sent}")
        if (is_now := stage.end()) != end:
            differences.append(f"{is_now} instead of {end}")
        lines = [f"{e.event} {e.detail.get('call', e.detail.get('reason'))}" for e in stage.entries]
        return f"{moment} {at}: {differences} {lines}" if differences else None


@pytest.mark.parametrize("name", SCENES)
def test_tst_03_inv_19_killed_at_any_entry_it_ends_as_if_it_had_not_been(
    labs: SimpleQueue[Lab], name: str
) -> None:
    here = labs.get()
    end, sent, count = undisturbed(here, name)
    labs.put(here)

    def tried(point: tuple[Moment, int]) -> str | None:
        here = labs.get()
        try:
            return killed(here, name, point, end, sent)
        except AssertionError as error:
            return f"{point}: {error}"
        finally:
            labs.put(here)

    with ThreadPoolExecutor(_BESIDE_EACH_OTHER) as threads:
        found = list(threads.map(tried, points(name, count)))
    assert [one for one in found if one] == []


def points(name: str, count: int) -> Iterator[tuple[Moment, int]]:
    """Intents have odd numbers, what is sent even ones, and the last is the end.

    Meant and not sent; sent, and perhaps not arrived; arrived, with nothing written down of it. The
    others are next to one of these, so that one scene is enough for them.
    """
    if name == "native":
        yield from ((Moment.TORN, 1), (Moment.AFTER, 2), (Moment.TORN, 3), (Moment.AFTER, count))
    for intent in range(1, count, 2):
        yield Moment.AFTER, intent
        yield Moment.BEFORE, intent + 1
        yield Moment.TORN, intent + 1
    yield Moment.BEFORE, count
