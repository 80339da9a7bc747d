"""Anything may go wrong with hosts, people and the tool, and nothing wrong is ever deleted.

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
from tests.beds.wsman.estate import GIB, OK, Fate
from tests.enforce.fake.peril import Killed, Peril
from tests.hypervisors.hyperv.office import Desk, desk

EXAMPLES = max(150, int(os.environ.get("SNAPAUDIT_MODEL_STEPS", "0")) // 40)
SEED = int(os.environ.get("SNAPAUDIT_MODEL_SEED", "7")) or int.from_bytes(os.urandom(4))
RUNS = 6

FATES = (
    Fate(),
    Fate(arrives=False),
    Fate(answers=False),
    Fate(answers=False, seconds=900),
    Fate(answers=False, waits=120),
    Fate(arrives=False, throws=True),
    Fate(throws=True),
    Fate(cut=1),
    Fate(lies=True),
    Fate(late=3),
    Fate(waits=200),
    Fate(fails=0),
    Fate(fails=1),
    Fate(stalls=True),
    Fate(seconds=100_000),
)


def _at_rest(deed: Callable[[Desk], object]) -> Callable[[Desk], object]:
    """Hyper-V lets nobody change the checkpoints of a machine that is at work."""
    return lambda one: deed(one) if one.estate.statuses(one.vm) == [OK] else None


def _rename(one: Desk) -> None:
    for checkpoint in list(one.vm.checkpoints.values())[:1]:
        checkpoint.name += "-keep"


def _retake(one: Desk) -> None:
    for checkpoint in list(one.vm.checkpoints.values())[:1]:
        one.estate.retake(one.vm, checkpoint)


def _delete(one: Desk) -> None:
    for checkpoint in list(one.vm.checkpoints.values())[-1:]:
        one.estate.remove(one.vm, checkpoint)


def _clone(one: Desk) -> None:
    if one.vm.checkpoints and not one.estate.merges:
        one.estate.clone(one.vm, "clone")


def _move(one: Desk) -> None:
    one.vm.node = "HV2" if one.vm.node == "HV1" else "HV1"


DEEDS: dict[str, Callable[[Desk], object]] = {
    "take": _at_rest(lambda one: one.estate.take(one.vm, "new")),
    "rename": _rename,
    "rename the machine": lambda one: setattr(one.vm, "name", "other"),
    "retake": _at_rest(_retake),
    "delete by hand": _at_rest(_delete),
    "clone": _at_rest(_clone),
    "backup": lambda one: one.vm.busy.append(32776),
    "replica": lambda one: setattr(one.vm, "replication", 2),
    "save": lambda one: setattr(one.vm, "state", 6),
    "move": _move,
    "first down": lambda one: one.estate.down.add("hv1"),
    "second down": lambda one: one.estate.down.add("hv2"),
    "another manager": lambda one: setattr(one.estate, "uuid", "another"),
    "full": lambda one: setattr(one.estate.volume, "free", 1),
}


def _recover(one: Desk) -> None:
    """Whatever can be mended is mended."""
    one.vm.busy.clear()
    one.estate.down.clear()
    one.estate.uuid = "4c4c4544-0042-3510-8052-b4c04f4a4d31"
    one.estate.volume.free = 2000 * GIB


def applied(one: Desk, plan: Path) -> None:
    """Apply it once; what is called done then is done."""
    try:
        report = one.apply(plan)
    except (Killed, RefusedError):
        return
    for outcome in report.outcomes:
        if outcome.event is Event.DONE:
            assert outcome.action.snapshot_id not in one.vm.checkpoints
            removed = {path for disk in outcome.action.expects.removes for path in disk.paths}
            assert removed.isdisjoint(one.estate.files)


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
    is_cluster=some.booleans(),
    fates=some.lists(some.sampled_from(FATES), max_size=3),
    deeds=some.lists(
        some.tuples(some.integers(0, 90), some.sampled_from(sorted(DEEDS))), max_size=3
    ),
    kills=some.lists(some.one_of(some.none(), some.integers(1, 45)), max_size=3),
)
def test_tst_01_nothing_but_what_was_approved_goes_and_nothing_is_lost(
    names: int,
    disks: int,
    is_cluster: bool,
    fates: Sequence[Fate],
    deeds: Sequence[tuple[int, str]],
    kills: Sequence[int | None],
) -> None:
    with desk(*"abc"[:names], disks=disks, is_cluster=is_cluster) as one:
        one.estate.bystander()
        plan = one.plan()
        written = {f"after {checkpoint.name}" for checkpoint in one.vm.checkpoints.values()}
        one.estate.fates = list(fates)
        for seconds, name in deeds:
            if name != "move" or is_cluster:
                one.estate.in_a_while(seconds, partial(DEEDS[name], one))
        for run in range(RUNS):
            one.site.peril = Peril(kills[run] if run < len(kills) else None)
            applied(one, plan)
            one.clock.skip(timedelta(minutes=20))
            one.estate.settle()
            if run == len(kills):
                _recover(one)
        for vm in one.estate.vms.values():
            own = written if vm is one.vm else set()
            assert {"base", *own} <= one.estate.reads(vm)
