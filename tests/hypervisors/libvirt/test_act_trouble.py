"""Merges that are slowed down, dropped, killed, refused or run out of space, on real QEMU."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from snapaudit.errors import CallRefused, HypervisorError, Unreachable, UsageError
from snapaudit.hypervisors.libvirt import LIBVIRT
from snapaudit.model.acting import Call, Phase
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import CoverageState
from snapaudit.model.plan import VmId
from snapaudit.ports import Actuator
from tests.beds.guests import Life
from tests.beds.libvirtd import MIB, LibvirtBed
from tests.beds.processes import wait_until
from tests.beds.required import require_bed
from tests.hypervisors.libvirt.acting import (
    Run,
    Subject,
    act,
    carry_out,
    deletion,
    endpoint,
    make,
    next_call,
    starts,
    subject,
    until,
    wait,
)

pytestmark = pytest.mark.bed
SLOW = {"merge": "manual", "merge_rate": "4MiB"}


@pytest.fixture(scope="module")
def bed() -> Iterator[LibvirtBed]:
    """One of its own: its daemon is killed now and then."""
    with LibvirtBed() as made:
        yield made


@pytest.fixture(scope="module")
def pool(bed: LibvirtBed) -> Path:
    return bed.pool("trouble")


@pytest.fixture
def running(bed: LibvirtBed, pool: Path) -> Iterator[Subject]:
    with subject(bed, pool, life=Life.RUNNING) as made:
        yield made


@pytest.fixture
def large(bed: LibvirtBed, pool: Path) -> Iterator[Subject]:
    """A running machine with a snapshot that libvirt takes about a second to delete."""
    with subject(bed, pool, life=Life.RUNNING, size_mib=512) as made:
        made.take("s1")
        made.write(0, 320, 5)
        yield made


@pytest.fixture
def off(bed: LibvirtBed, pool: Path) -> Iterator[Subject]:
    with subject(bed, pool, life=Life.OFF) as made:
        yield made


def opened(of: Subject, **options: str | bool) -> Actuator:
    return LIBVIRT.actuator(endpoint(of.bed, **options), None)


def begun(of: Subject, snapshot: str, **options: str | bool) -> tuple[Run, Call, str | None]:
    """A first call sent by an actuator that is dropped at once, as if its process had died."""
    actuator, run = opened(of, **options), Run()
    call = next_call(actuator, deletion(of, snapshot), run)
    assert call is not None
    run.made.append(call)
    task = actuator.send(call)
    wait_until(
        lambda: len(run.watched) > 0 or seen_at_work(actuator, call, task, run), 10, "it runs"
    )
    actuator.close()
    return run, call, task


def seen_at_work(actuator: Actuator, call: Call, task: str | None, run: Run) -> bool:
    last = actuator.watch(call, task)
    if last.phase is Phase.RUNNING and last.total_bytes:
        run.watched.append(last)
    return bool(run.watched) or last.phase is not Phase.RUNNING


# Slowed down, and dropped half way ---------------------------------------------------------------


def test_merge_by_hand_keeps_to_its_rate_and_tells_how_far_it_is(running: Subject) -> None:
    running.take("s1")
    running.write(0, 8, 5)
    before, started = running.contents(), time.monotonic()
    run = act(running, deletion(running, "s1"), **SLOW)
    assert time.monotonic() - started > 1
    assert run.names == ["commit", "pivot", "forget"]
    steps = [(seen.done_bytes, seen.total_bytes) for seen in run.watched if seen.total_bytes]
    assert any(0 < (done or 0) < (total or 0) for done, total in steps)
    assert running.contents() == before


@pytest.mark.parametrize("place", ["s1", "s2"])
def test_inv_19_merge_that_was_dropped_half_way_is_found_again_and_finished(
    running: Subject, place: str
) -> None:
    running.take("s1")
    running.write(0, 6, 5)
    running.take("s2")
    running.write(3, 6, 6)
    before = running.contents()
    run, call, task = begun(running, place, **SLOW)
    second = opened(running)
    assert second.watch(call, task).phase is Phase.RUNNING
    assert wait(second, call, task, run).phase is Phase.OVER
    carry_out(second, deletion(running, place), run)
    second.close()
    assert run.names.count("commit") == 1
    assert run.failed == []
    (rest,) = {"s1", "s2"} - {place}
    assert running.contents() == before
    assert running.chains() == {"vda": [".qcow2", f".{rest}"]}
    assert running.snapshots() == {rest}


def test_inv_19_merge_offline_that_was_dropped_is_found_again_and_finished(off: Subject) -> None:
    off.take("s1")
    off.write(0, 48, 5)
    off.take("s2")
    before = off.contents()
    run, call, task = begun(off, "s1", merge="manual", merge_rate="10MiB")
    assert merging(off)
    second = opened(off)
    assert second.watch(call, task).phase is Phase.RUNNING
    assert wait(second, call, task, run).phase is Phase.OVER
    carry_out(second, deletion(off, "s1"), run)
    second.close()
    assert run.names == ["merge-offline", "rebase", "redefine-snapshot", "unlink", "forget"]
    assert off.contents() == before
    assert off.chains() == {"vda": [".qcow2", ".s2"]}


def test_inv_19_merge_offline_that_was_killed_is_made_once_more_and_no_more(off: Subject) -> None:
    off.take("s1")
    off.write(0, 48, 5)
    off.take("s2")
    before = off.contents()
    actuator, run = opened(off, merge="manual", merge_rate="10MiB"), Run()
    call = next_call(actuator, deletion(off, "s1"), run)
    assert call is not None
    run.made.append(call)
    actuator.send(call)
    wait_until(lambda: seen_at_work(actuator, call, None, run), 10, "it runs")
    os.kill(merging(off), signal.SIGKILL)
    assert wait(actuator, call, None, run).phase is Phase.FAILED
    assert run.failed == ["qemu-img was ended from outside (signal 9)"]
    assert off.contents() == before
    again = next_call(actuator, deletion(off, "s1"), run)
    assert again is not None
    assert again.name == "merge-offline"
    third = actuator.next_call(deletion(off, "s1"), actuator.observe(off.uuid), [*run.made, again])
    assert third is None
    carry_out(actuator, deletion(off, "s1"), run)
    actuator.close()
    assert off.contents() == before
    assert off.chains() == {"vda": [".qcow2", ".s2"]}


def merging(of: Subject) -> int:
    """The process of ``qemu-img commit`` in the pool of the machine, once it is there."""
    found: list[str] = []

    def is_there() -> bool:
        words = ["pgrep", "-f", f"qemu-img commit.*{of.pool}"]
        found[:] = subprocess.run(words, check=False, capture_output=True, text=True).stdout.split()
        return bool(found)

    wait_until(is_there, 10, "qemu-img runs")
    return int(found[0])


# Killed ------------------------------------------------------------------------------------------


def test_daemon_killed_in_a_merge_by_hand_is_told_and_the_merge_ends_well(running: Subject) -> None:
    running.take("s1")
    running.write(0, 8, 5)
    before = running.contents()
    actuator, run = opened(running, **SLOW), Run()
    call = next_call(actuator, deletion(running, "s1"), run)
    assert call is not None
    run.made.append(call)
    task = actuator.send(call)
    wait_until(lambda: seen_at_work(actuator, call, task, run), 10, "it runs")
    running.bed.daemon.kill()
    with pytest.raises(Unreachable):
        until(lambda: actuator.watch(call, task), run)
    restart(running)
    actuator.observe(running.uuid)
    assert wait(actuator, call, task, run).phase is Phase.OVER
    carry_out(actuator, deletion(running, "s1"), run)
    actuator.close()
    assert run.names == ["commit", "pivot", "forget"]
    assert running.contents() == before
    assert running.chains() == {"vda": [".qcow2"]}


def test_daemon_killed_in_its_own_deletion_is_told_and_the_snapshot_goes_another_way(
    large: Subject,
) -> None:
    before = large.contents()
    run, call, task = killed_in_native_deletion(large)
    second = opened(large)
    assert wait(second, call, task, run).phase is Phase.OVER
    assert large.snapshots() == {"s1"}
    carry_out(second, deletion(large, "s1"), run)
    second.close()
    assert run.names.count("delete") == 1
    assert large.snapshots() == set()
    assert large.contents() == before
    assert large.chains() == {"vda": [".qcow2"]}


def killed_in_native_deletion(of: Subject) -> tuple[Run, Call, str | None]:
    """On a busy machine the deletion may be over before anybody looks: then once more."""
    for _ in range(5):
        found = killed_once(of)
        if of.snapshots():
            return found
        of.take("s1")
        of.write(0, 320, 5)
    pytest.fail("it was always over before the daemon could be killed")


def killed_once(of: Subject) -> tuple[Run, Call, str | None]:
    actuator, run = opened(of), Run()
    call = next_call(actuator, deletion(of, "s1"), run)
    assert call is not None
    assert call.name == "delete"
    run.made.append(call)
    task = actuator.send(call)
    (pid,) = of.bed.daemon.guest_pids()
    wait_until(lambda: seen_at_work(actuator, call, task, run), 10, "it runs")
    os.kill(pid, signal.SIGSTOP)  # so that the merge cannot end before the daemon is gone
    try:
        of.bed.daemon.kill()
        with pytest.raises(Unreachable):
            until(lambda: actuator.watch(call, task), run)
        actuator.close()
        restart(of)
    finally:
        os.kill(pid, signal.SIGCONT)
    return run, call, task


def restart(of: Subject) -> None:
    of.bed.restart()
    of.guest.domain = of.bed.rw.lookupByName("subject")


def test_machine_killed_in_a_merge_is_told_and_merged_while_it_is_off(running: Subject) -> None:
    running.take("s1")
    running.write(0, 8, 5)
    before = running.contents()
    actuator, run = opened(running, **SLOW), Run()
    call = next_call(actuator, deletion(running, "s1"), run)
    assert call is not None
    run.made.append(call)
    task = actuator.send(call)
    wait_until(lambda: seen_at_work(actuator, call, task, run), 10, "it runs")
    (pid,) = running.bed.daemon.guest_pids()
    os.kill(pid, signal.SIGKILL)
    assert wait(actuator, call, task, run).phase is Phase.FAILED
    wait_until(lambda: not running.is_running, 10, "the daemon has noticed")
    assert running.contents() == before
    carry_out(actuator, deletion(running, "s1"), run)
    actuator.close()
    assert run.names == ["commit", "merge-offline", "redefine", "unlink", "forget"]
    assert running.contents() == before
    assert running.chains() == {"vda": [".qcow2"]}
    assert starts(running)


def test_client_dropped_in_native_deletion_leaves_it_to_the_daemon(large: Subject) -> None:
    before = large.contents()
    run, call, task = begun(large, "s1")
    second = opened(large)
    assert wait(second, call, task, run).phase is Phase.OVER
    assert next_call(second, deletion(large, "s1"), run) is None
    second.close()
    assert large.contents() == before
    assert large.snapshots() == set()


# Refused -----------------------------------------------------------------------------------------


def test_inv_03_snapshot_taken_again_under_the_name_is_refused_at_the_last_moment(
    running: Subject,
) -> None:
    running.take("s1", external=False)
    actuator = opened(running)
    call = next_call(actuator, deletion(running, "s1"), Run())
    assert call is not None
    running.guest.domain.snapshotLookupByName("s1").delete()
    time.sleep(1.1)
    running.take("s1", external=False)
    with pytest.raises(CallRefused, match="another one by now"):
        actuator.send(call)
    actuator.close()
    assert running.snapshots() == {"s1"}


def test_snapshot_that_went_meanwhile_is_refused_and_nothing_is_sent(running: Subject) -> None:
    running.take("s1", external=False)
    actuator = opened(running)
    call = next_call(actuator, deletion(running, "s1"), Run())
    assert call is not None
    running.guest.domain.snapshotLookupByName("s1").delete()
    with pytest.raises(CallRefused, match="no domain snapshot with matching name"):
        actuator.send(call)
    assert next_call(actuator, deletion(running, "s1"), Run()) is None
    actuator.close()


def test_machine_started_between_two_steps_of_an_offline_merge_goes_on_running(
    off: Subject,
) -> None:
    off.take("s1")
    off.write(0, 8, 5)
    actuator, run = opened(off, merge="manual"), Run()
    first = next_call(actuator, deletion(off, "s1"), run)
    assert first is not None
    make(actuator, first, run)
    call = next_call(actuator, deletion(off, "s1"), run)
    assert call is not None
    assert (first.name, call.name) == ("merge-offline", "redefine")
    assert starts(off)
    off.write(4, 8, 6)
    before = off.contents()
    with pytest.raises(CallRefused, match="was started meanwhile"):
        actuator.send(call)
    carry_out(actuator, deletion(off, "s1"), run)
    actuator.close()
    assert run.names == ["merge-offline", "commit", "pivot", "forget"]
    assert off.contents() == before
    assert off.chains() == {"vda": [".qcow2"]}


def test_machine_that_ran_since_an_offline_merge_is_merged_again(off: Subject) -> None:
    off.take("s1")
    off.write(0, 8, 5)
    actuator, run = opened(off, merge="manual"), Run()
    first = next_call(actuator, deletion(off, "s1"), run)
    assert first is not None
    make(actuator, first, run)
    starts(off)
    off.write(4, 8, 6)
    off.guest.domain.destroy()
    before = off.contents()
    carry_out(actuator, deletion(off, "s1"), run)
    actuator.close()
    assert run.names == ["merge-offline", "merge-offline", "redefine", "unlink", "forget"]
    assert off.contents() == before


def test_commit_into_another_image_than_seen_is_refused(running: Subject) -> None:
    running.take("s1")
    running.take("s2")
    actuator = opened(running, merge="manual")
    call = next_call(actuator, deletion(running, "s2"), Run())
    assert call is not None
    assert call.about["base"] == str(running.pool / "subject.s1")
    act(running, deletion(running, "s1"))
    with pytest.raises(CallRefused, match="no longer stands as it did"):
        actuator.send(call)
    actuator.close()


def test_second_call_for_a_machine_at_work_is_refused(large: Subject) -> None:
    actuator, run = opened(large), Run()
    call = next_call(actuator, deletion(large, "s1"), run)
    assert call is not None
    actuator.send(call)
    with pytest.raises(CallRefused, match="still under way"):
        actuator.send(call)
    until(lambda: actuator.watch(call, None), run)
    actuator.close()


def test_inv_18_machine_at_work_is_busy_and_another_one_can_still_be_observed(
    running: Subject, bed: LibvirtBed
) -> None:
    running.take("s1")
    running.write(0, 8, 5)
    image = bed.create_image(running.pool / "other.qcow2", size_bytes=4 * MIB)
    other = bed.define_vm("other", [image])
    actuator, run = opened(running, **SLOW), Run()
    call = next_call(actuator, deletion(running, "s1"), run)
    assert call is not None
    actuator.send(call)
    beside = actuator.observe(other.domain.UUIDString())
    busy = running.seen().busy
    still = actuator.watch(call, None)
    until(lambda: actuator.watch(call, None), run)
    actuator.close()
    other.domain.undefine()
    assert still.phase is Phase.RUNNING
    assert busy is True
    assert beside.coverage.state is CoverageState.COMPLETE
    assert [vm.name for vm in beside.virtual_machines] == ["other"]


@pytest.mark.parametrize("url", ["qemu+tcp://127.0.0.1/session", "qemu+tls://kvm1/?no_verify=1"])
def test_grd_35_unverified_connection_is_never_opened_for_acting(url: str) -> None:
    with pytest.raises(UsageError, match="nobody proves who answers"):
        LIBVIRT.actuator(Endpoint(name="kvm1", kind="libvirt", url=url), None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"merge": "by-hand"}, "none of auto, native, manual"),
        ({"merge_rate": "100"}, "write a number with"),
        ({"merge_rate": "0B"}, "never ends"),
        ({"manual_from": "big"}, "write a number with"),
        ({"manual_from": True}, "write a number with"),
    ],
)
def test_option_that_makes_no_sense_names_endpoint_and_repair(
    options: dict[str, str | bool], words: str
) -> None:
    asked = Endpoint(name="kvm1", kind="libvirt", url="test:///default", options=options)
    with pytest.raises(UsageError, match=words):
        LIBVIRT.actuator(asked, None)


def test_host_that_falls_silent_is_unreachable_at_the_deadline(bed: LibvirtBed) -> None:
    pid = int((bed.daemon.folder / "run/libvirtd.pid").read_text())
    asked = Endpoint(name="bed", kind="libvirt", url=bed.uri, deadline=timedelta(seconds=0.5))
    actuator = LIBVIRT.actuator(asked, None)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(HypervisorError, match="no answer within"):
            actuator.observe(deletion_target())
    finally:
        os.kill(pid, signal.SIGCONT)


def deletion_target() -> VmId:
    return VmId("00000000-0000-0000-0000-000000000000")


def test_machine_that_is_gone_is_not_in_what_is_observed(bed: LibvirtBed, off: Subject) -> None:
    actuator = LIBVIRT.actuator(endpoint(bed), None)
    uuid = off.uuid
    action = deletion(off, "s1")
    assert [vm.id for vm in actuator.observe(uuid).virtual_machines] == [uuid]
    off.guest.domain.undefine()
    assert actuator.observe(uuid).virtual_machines == ()
    assert actuator.next_call(action, actuator.observe(uuid), []) is None
    actuator.close()
    off.bed.define_vm("subject", [off.pool / "subject.qcow2"])


# Out of space ------------------------------------------------------------------------------------


@pytest.fixture
def small(bed: LibvirtBed) -> Iterator[Path]:
    """A pool that is a file system of 24 MiB."""
    folder = bed.pools / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        folder.rmdir()
        require_bed(f"a file system of a given size cannot be mounted: {mounted.stderr.strip()}")
    try:
        bed.daemon.account.own(folder)
        bed.pool("small")
        yield folder
        pool = bed.rw.storagePoolLookupByName("small")
        pool.destroy()
        pool.undefine()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


@pytest.mark.parametrize("merge", ["native", "manual"])
@pytest.mark.parametrize("life", [Life.OFF, Life.RUNNING], ids=["off", "running"])
def test_full_pool_ends_a_merge_and_leaves_chain_snapshot_and_data_as_they_were(
    bed: LibvirtBed, small: Path, life: Life, merge: str
) -> None:
    with subject(bed, small, life=life) as full:
        full.take("s1")
        full.write(10, 9, 5)
        (small / "ballast").write_bytes(b"x" * (8 * MIB))
        before, chains = full.contents(), full.chains()
        run = act(full, deletion(full, "s1"), merge=merge)
        assert run.failed
        assert any("space" in reason for reason in run.failed)
        assert full.contents() == before
        assert full.chains() == chains
        assert full.snapshots() == {"s1"}
        (small / "ballast").unlink()
        assert starts(full)
