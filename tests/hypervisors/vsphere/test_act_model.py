"""Anything may go wrong with calls, people and the tool, and nothing wrong is ever deleted.

``SNAPAUDIT_MODEL_STEPS`` makes it longer (`make soak`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as some

from snapaudit.errors import RefusedError
from snapaudit.model.journal import Event
from snapaudit.model.policy import Remedy
from tests.builders import GIB
from tests.enforce.fake.peril import Killed, Peril
from tests.hypervisors.vsphere.fake import FakeServer, Fate, Vm
from tests.hypervisors.vsphere.office import Site, site

EXAMPLES = max(150, int(os.environ.get("SNAPAUDIT_MODEL_STEPS", "0")) // 40)
SEED = int(os.environ.get("SNAPAUDIT_MODEL_SEED", "7")) or int.from_bytes(os.urandom(4))
RUNS = 6

FATES = (
    Fate(),
    Fate(refused="MethodDisabled"),
    Fate(arrives=False),
    Fate(answers=False),
    Fate(answers=False, seconds=900),
    Fate(answers=False, fails="FileLocked", after=1),
    Fate(fails="ConcurrentAccess"),
    Fate(fails="FileLocked", after=1),
    Fate(fails="FileLocked", after=2),
    Fate(leaves=True),
    Fate(lies=True),
    Fate(late=3),
    Fate(seconds=100_000),
)


def _idle(site: Site) -> bool:
    """vCenter lets nobody change a machine that has a task."""
    return not any(task.vm is site.vm for task in site.server.running())


def _when_idle(deed: Callable[[Site], object]) -> Callable[[Site], object]:
    return lambda one: deed(one) if _idle(one) else None


def _any(one: Site) -> str | None:
    return next(iter(one.vm.snaps), None)


def _rename(one: Site) -> None:
    if (moid := _any(one)) is not None:
        one.vm.snaps[moid].name += "-keep"


def _retake(one: Site) -> None:
    if one.vm.current is not None:
        one.world.recreate(one.vm, one.vm.snaps[one.vm.current])


def _delete(one: Site) -> None:
    if one.vm.current is not None and one.world.stores["ds1"].free > GIB:
        one.delete_by_hand()


def _clone(one: Site) -> None:
    if one.vm.current is not None:
        one.world.clone(one.vm, f"clone-{one.world.last}")


DEEDS: dict[str, Callable[[Site], object]] = {
    "take": _when_idle(lambda one: one.world.take(one.vm, "new", age=timedelta(0))),
    "rename": _rename,
    "retake": _when_idle(_retake),
    "delete by hand": _when_idle(_delete),
    "clone": _when_idle(_clone),
    "task of others": _when_idle(lambda one: one.server.work_of_others(one.vm)),
    "template": lambda one: setattr(one.vm, "template", True),
    "suspend": lambda one: setattr(one.vm, "power", "suspended"),
    "in the background": lambda one: setattr(one.vm, "in_background", True),
    "session over": lambda one: setattr(one.server, "session_over", True),
    "deaf": lambda one: setattr(one.server, "deaf", 3),
    "down": lambda one: setattr(one.server, "reachable", False),
    "forgets its tasks": lambda one: setattr(one.server, "forgets", True),
    "another manager": lambda one: setattr(one.world, "uuid", "another"),
    "full": lambda one: setattr(one.world.stores["ds1"], "free", 1),
}


def _recover(one: Site, server: FakeServer) -> None:
    """Whatever can be mended is mended."""
    one.vm.in_background = False
    server.reachable, server.session_over, server.deaf = True, False, 0
    server.world.uuid = "11111111-2222-4333-8444-555555555555"
    server.world.stores["ds1"].free = 500 * GIB


def applied(one: Site, plan: Path) -> None:
    """Apply it once; what is called done then is done."""
    try:
        report = one.apply(plan)
    except (Killed, RefusedError):
        return
    for outcome in report.outcomes:
        if outcome.event is Event.DONE and outcome.action.kind is Remedy.DELETE_SNAPSHOT:
            assert outcome.action.snapshot_id not in one.vm.snaps
            removed = {path for disk in outcome.action.expects.removes for path in disk.paths}
            stale = [unit.name for _, unit in one.vm.phantoms() if unit.name in removed]
            assert stale == []


def _written(vm: Vm) -> set[str]:
    return {word for found in vm.reads().values() for word in found}


@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    names=some.integers(1, 3),
    disks=some.integers(1, 2),
    fates=some.lists(some.sampled_from(FATES), max_size=3),
    deeds=some.lists(
        some.tuples(some.integers(0, 60), some.sampled_from(sorted(DEEDS))), max_size=3
    ),
    kills=some.lists(some.one_of(some.none(), some.integers(1, 45)), max_size=3),
)
def test_tst_01_nothing_but_what_was_approved_goes_and_nothing_is_lost(
    names: int,
    disks: int,
    fates: Sequence[Fate],
    deeds: Sequence[tuple[int, str]],
    kills: Sequence[int | None],
) -> None:
    with site(*"abc"[:names], disks=disks) as one:
        plan = one.plan()
        first = {f"after {moid}" for moid in one.vm.snaps} | {"base"}
        one.server.fates.queue = list(fates)
        for seconds, name in deeds:
            one.server.in_a_while(seconds, partial(DEEDS[name], one))
        for run in range(RUNS):
            one.server.peril = Peril(kills[run] if run < len(kills) else None)
            applied(one, plan)
            one.world.clock.skip(timedelta(minutes=20))
            one.server.settle()
            if run == len(kills):
                _recover(one, one.server)
        if not {"delete by hand", "retake"} & {name for _, name in deeds}:
            assert first <= _written(one.vm)
        for vm in one.world.vms.values():
            if vm is not one.vm:
                assert {"base"} <= _written(vm)
