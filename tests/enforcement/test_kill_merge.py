"""TST-03: the tool, the daemon or QEMU is killed in the middle of a merge."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import libvirt_qemu
import pytest

from snapaudit.model.journal import Event
from tests.beds.guests import Life
from tests.beds.processes import wait_until
from tests.enforcement.killing import End, Lab, Scene, Stage, lab, said, staged

pytestmark = pytest.mark.bed

NATIVE = Scene(Life.RUNNING, external=True, target="s1", mib=256)
BY_HAND = Scene(
    Life.RUNNING,
    external=True,
    target="s2",
    mib=8,
    options={"merge": "manual", "merge_rate": "2MiB"},
)
OFFLINE = Scene(
    Life.OFF,
    external=True,
    target="s1",
    mib=16,  # for longer than two looks are apart
    options={"merge": "manual", "merge_rate": "2MiB"},
)


@pytest.fixture(scope="module")
def here() -> Iterator[Lab]:
    with lab() as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(here: Lab) -> Callable[[Scene], End]:
    """How a scene ends at full speed when nothing happens."""
    ends: list[tuple[Scene, End]] = []

    def ended_well(scene: Scene) -> End:
        for known, end in ends:
            if known == scene:
                return end
        quick = {key: value for key, value in scene.options.items() if key != "merge_rate"}
        with staged(here, replace(scene, options=quick)) as stage:
            stage.finish(stage.plan())
            ends.append((scene, stage.end()))
        return ends[-1][1]

    return ended_well


def never_sent_blindly(stage: Stage) -> None:
    """Nothing arrived without an intent, nor was meant again before somebody had looked."""
    meant = stage.meant()
    assert all(count <= meant[name] for name, count in stage.sent().items()), stage.sent()
    waiting: set[str] = set()
    for entry in stage.entries:
        if entry.event is Event.INTENT:
            assert str(entry.detail) not in waiting
            waiting.add(str(entry.detail))
        elif entry.event is Event.RESOLVED:
            waiting.clear()


@pytest.mark.parametrize("scene", [NATIVE, BY_HAND, OFFLINE], ids=["native", "by-hand", "offline"])
def test_tst_03_inv_19_tool_killed_in_a_merge_leaves_it_going_and_the_next_run_finishes(
    here: Lab, undisturbed: Callable[[Scene], End], scene: Scene
) -> None:
    end = undisturbed(scene)
    with staged(here, scene) as stage:
        plan = stage.plan()
        with stage.merging(plan) as running:
            running.send_signal(signal.SIGKILL)
            running.wait()
        stage.finish(plan)
        never_sent_blindly(stage)
        assert stage.sent() == stage.meant()
        assert stage.end() == end


@pytest.mark.parametrize("scene", [NATIVE, BY_HAND], ids=["native", "by-hand"])
def test_tst_03_daemon_killed_in_a_merge_is_told_as_unknown_and_the_next_run_finishes(
    here: Lab, undisturbed: Callable[[Scene], End], scene: Scene
) -> None:
    end = undisturbed(scene)
    with staged(here, scene) as stage:
        plan = stage.plan()
        with stage.merging(plan) as running, standing_still(here):
            here.bed.daemon.kill()
            done = ended(running)
            assert done.returncode == 5, said(done)
            assert "unknown" in done.stdout
            assert stage.entries[-1].event is Event.UNKNOWN
            stage.restart_daemon()
        stage.finish(plan)
        never_sent_blindly(stage)
        assert stage.end() == end


def test_tst_03_inv_16_merge_that_ends_while_its_daemon_is_dead_is_unknown_until_mended(
    here: Lab, undisturbed: Callable[[Scene], End]
) -> None:
    end = undisturbed(NATIVE)
    with staged(here, NATIVE) as stage:
        plan = stage.plan()
        with stage.merging(plan) as running:
            with standing_still(here):
                here.bed.daemon.kill()
                assert ended(running).returncode == 5
            stage.restart_daemon()
        merged_unheard(stage)
        assert [path.name for path in stage.guest.chain()] != [p.name for p in stage.chain()]
        for _ in range(2):
            done = stage.apply(plan)
            assert done.returncode == 5, said(done)
            assert "and the image itself names" in done.stdout
        assert stage.contents(stage.chain()[-1]) == end.contents
        assert stage.sent() == stage.meant() == {"delete/forget": 1}
        stage.guest.domain.destroy()
        above, below = (str(path) for path in stage.guest.chain()[:0:-1])
        here.bed.run_qemu_img("rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", below, above)
        stage.guest.domain.create()
        stage.finish(plan)
        never_sent_blindly(stage)
        assert stage.end() == end


@pytest.mark.parametrize("by", ["the same plan", "a person and a new plan"])
def test_tst_03_machine_killed_in_a_merge_is_named_and_its_data_is_all_there(
    here: Lab, undisturbed: Callable[[Scene], End], by: str
) -> None:
    end = undisturbed(BY_HAND)
    with staged(here, BY_HAND) as stage:
        plan, before = stage.plan(), stage.chain()
        with stage.merging(plan) as running:
            (pid,) = here.bed.daemon.guest_pids()
            os.kill(pid, signal.SIGKILL)
            done = ended(running)
        assert done.returncode == 5, said(done)
        assert "stopped  subject: the machine was on and is off" in done.stdout
        assert "unknown  kvm: subject / s2" in done.stdout.replace("   ", "  ")
        wait_until(lambda: not stage.guest.domain.isActive(), 10, "the daemon has noticed")
        assert stage.chain() == before
        assert stage.contents(before[-1]) == end.contents
        for path in before:
            here.bed.run_qemu_img("check", "-q", str(path))
        if by == "a person and a new plan":
            plan = replanned(stage)
        stage.finish(plan)
        never_sent_blindly(stage)
        found = stage.end()
        assert found.definition[0] == end.definition[0]
        # Of a machine that ran, libvirt writes down what its disk stands on; of this one, no more.
        assert found == replace(end, runs=False, definition=found.definition)


def merged_unheard(stage: Stage) -> None:
    """Let QEMU merge s1, as it does between libvirt's order to finish and libvirt's death.

    That moment is too short to be hit by a signal; what it leaves behind is the same.
    """
    nodes = {
        Path(node["file"]).name: node["node-name"]
        for node in asked(stage, "query-named-block-nodes")
        if node["drv"] == "qcow2"
    }
    base, middle, top = (nodes[path.name] for path in stage.chain())
    places = {"device": top, "top-node": middle, "base-node": base}
    asked(stage, "block-commit", **{"job-id": "unheard", **places})
    wait_until(lambda: not asked(stage, "query-block-jobs"), 60, "QEMU has ended the merge")


def asked(stage: Stage, command: str, **arguments: str) -> Any:
    """What the machine's QEMU answers."""
    text = json.dumps({"execute": command, "arguments": arguments})
    answer = libvirt_qemu.qemuMonitorCommand(stage.guest.domain, text, 0)
    return json.loads(answer)["return"]


@contextmanager
def standing_still(here: Lab) -> Iterator[None]:
    """The machine's QEMU stopped, so that its merge cannot end while no daemon is there."""
    (pid,) = here.bed.daemon.guest_pids()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def replanned(stage: Stage) -> Path:
    """Close the action that nobody knows the end of, and plan anew."""
    action = stage.entries[-1].action_id
    words = ("--outcome", "abandoned", "--reason", "its chain is as it was")
    stage.run("journal", "resolve", action, *words, expect=0)
    return stage.plan()


def ended(running: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    out, err = running.communicate(timeout=60)
    return subprocess.CompletedProcess(running.args, running.returncode, out, err)
