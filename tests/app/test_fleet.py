"""Many endpoints side by side: none holds or ends another, and none is lost on the way."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from multiprocessing import forkserver, get_context
from typing import Any

import pytest

from snapaudit.app import reading
from snapaudit.app.cluster import outcome
from snapaudit.app.fleet import LocalReaders, Turns, fair, limits, read_fleet
from snapaudit.app.reading import Secrets, collect, missing
from snapaudit.app.worker import Failure, work_within
from snapaudit.config.secrets import Secret
from snapaudit.config.settings import ProcessExecutor
from snapaudit.errors import InputError
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.ports import DONE, FAILED, WAITING, Step
from tests.builders import NOW
from tests.canaries import FETCHED

GIB = 2**30


def endpoint(name: str = "t", url: str = "test:///default", **changes: Any) -> Endpoint:
    fields: dict[str, Any] = {"name": name, "kind": "libvirt", "url": url}
    return Endpoint(**{**fields, **changes})


def no_secrets(_: Endpoint) -> Secrets:
    return Secrets()


def read(
    *endpoints: Endpoint, progress: Any = None, secrets_of: Any = no_secrets, **changes: Any
) -> dict[str, Inventory]:
    executor = ProcessExecutor(**changes)
    readers = LocalReaders(executor, endpoints)
    heard = progress or (lambda _: None)
    seen = read_fleet(endpoints, NOW, secrets_of, heard, threading.Event(), readers)
    return {one.endpoint: one for one in seen}


def reason(seen: Inventory) -> str:
    assert seen.coverage.state is CoverageState.MISSING
    return seen.coverage.reason or ""


@contextmanager
def silent(name: str, seconds: float = 2) -> Iterator[Endpoint]:
    """Accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system"
        yield endpoint(name, url, deadline=timedelta(seconds=seconds))


def die(_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def environment(name: str, _: object) -> str | None:
    return os.environ.get(name)


def number(_: object) -> int:
    return os.getpid()


def test_more_hung_endpoints_than_turns_do_not_keep_the_others_from_being_read() -> None:
    with silent("a", 6) as first, silent("b", 6) as second:
        phases = list[tuple[str, str]]()
        whole = endpoint("z")
        turns = Turns(at_once=2, most=3, silent=0.1)
        readers = LocalReaders(ProcessExecutor(), [first, second, whole])
        readers._turns = turns

        def note(step: Step) -> None:
            phases.append((step.endpoint, step.phase))

        ends = threading.Event()
        read_fleet([first, second, whole], NOW, no_secrets, note, ends, readers)
    ended = [name for name, phase in phases if phase in (DONE, FAILED)]
    assert ended[0] == "z"


def test_one_slow_to_answer_costs_nobody_else_their_turn_before_it_is_silent() -> None:
    turns, stop = Turns(at_once=1, most=2, silent=3600), threading.Event()
    entered = threading.Event()

    def second() -> None:
        with turns.turn(stop):
            entered.set()

    with turns.turn(stop):
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not entered.wait(0.5)
    waiting.join()
    assert entered.is_set()


def test_silent_ones_never_grow_beyond_the_bound() -> None:
    turns, stop = Turns(at_once=1, most=1, silent=0), threading.Event()
    with turns.turn(stop):
        assert not turns._has_room()


def test_one_bad_endpoint_is_missing_with_its_reason_and_the_others_are_read() -> None:
    def secrets_of(one: Endpoint) -> Secrets:
        if one.name == "locked":
            raise InputError("snapaudit.yaml", "the password cannot be had")
        return Secrets()

    with silent("hung") as hung:
        seen = read(
            hung, endpoint("locked"), endpoint("odd", kind="none"), endpoint("a"),
            secrets_of=secrets_of,
        )  # fmt: skip
    assert list(seen) == ["a", "hung", "locked", "odd"]
    assert "deadline of 2 s" in reason(seen["hung"])
    assert "cannot be had" in reason(seen["locked"])
    assert "no hypervisor of kind" in reason(seen["odd"])
    assert len(seen["a"].virtual_machines) == 1


def test_progress_tells_of_each_endpoint_that_it_waits_and_how_it_ended() -> None:
    steps = list[Step]()
    read(endpoint("a"), endpoint("odd", kind="none"), progress=steps.append)
    of_a = [step for step in steps if step.endpoint == "a"]
    assert [of_a[0].phase, of_a[-1].phase, of_a[-1].seen] == [WAITING, DONE, 1]
    assert [s.phase for s in steps if s.endpoint == "odd"] == [WAITING, FAILED]


def test_stopped_before_their_turn_endpoints_are_missing_and_nobody_is_asked() -> None:
    stop = threading.Event()
    stop.set()
    readers = LocalReaders(ProcessExecutor(), ())
    [seen] = read_fleet([endpoint()], NOW, no_secrets, lambda _: None, stop, readers)
    assert reason(seen) == "interrupted"


def test_stop_ends_a_reading_that_hangs() -> None:
    stop = threading.Event()
    with silent("hung", 3600) as hung:
        readers = LocalReaders(ProcessExecutor(), [hung])

        def at_once(step: Step) -> None:
            if step.phase == "connecting":
                stop.set()

        [seen] = read_fleet([hung], NOW, no_secrets, at_once, stop, readers)
    assert reason(seen) == "interrupted"


def test_process_that_dies_takes_its_own_work_alone() -> None:
    stop = threading.Event()
    answer = work_within(timedelta(seconds=60), die, lambda _: None, stop)
    assert answer == Failure("the reading process ended unexpectedly (code -9)")
    assert read(endpoint())["t"].virtual_machines


def test_endpoint_is_missing_where_the_server_of_processes_ends_as_one_is_asked_for() -> None:
    assert read(endpoint())["t"].virtual_machines
    # Nothing public tells which process it is.
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    os.kill(server, signal.SIGSTOP)
    threading.Timer(1, os.kill, (server, signal.SIGKILL)).start()
    assert reason(read(endpoint())["t"]).startswith("no process could be started to read it")
    assert read(endpoint())["t"].virtual_machines


def test_reading_that_calls_itself_by_another_name_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = missing(endpoint("other"), "gone", NOW)
    monkeypatch.setattr(reading, "work_within", lambda *_: other)
    seen = collect(endpoint(), Secrets(), NOW)
    assert (seen.endpoint, reason(seen)) == (
        "t", "internal error: what was read calls itself 'other'",
    )  # fmt: skip


def test_every_endpoint_gets_a_process_of_its_own_with_the_environment_of_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop, minute = threading.Event(), timedelta(seconds=60)
    numbers = {work_within(minute, number, lambda _: None, stop) for _ in range(3)}
    assert len(numbers | {os.getpid()}) == 4
    monkeypatch.setenv("SNAPAUDIT_TEST_OF_NOW", "yes")
    work = partial(environment, "SNAPAUDIT_TEST_OF_NOW")
    assert work_within(minute, work, lambda _: None, stop) == "yes"


@pytest.mark.parametrize(
    "pool",
    [
        lambda: ThreadPoolExecutor(2),
        lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
    ],
    ids=["threads", "processes"],
)
def test_any_executor_can_run_the_work(pool: Any) -> None:
    with silent("hung") as hung, pool() as executor:
        futures = [executor.submit(collect, one, Secrets(), NOW) for one in (endpoint("a"), hung)]
        read, dead = [future.result() for future in futures]
    assert len(read.virtual_machines) == 1
    assert "deadline of 2 s" in reason(dead)


def test_secrets_travel_and_show_nothing_of_themselves() -> None:
    secrets = Secrets(password=Secret(FETCHED))
    assert FETCHED not in repr(secrets)
    travelled = pickle.loads(pickle.dumps(secrets))  # noqa: S301 - our own bytes
    assert travelled.password.reveal() == FETCHED


def test_longest_deadline_begins_and_names_decide_between_equals() -> None:
    long = endpoint("z", deadline=timedelta(seconds=600))
    assert [one.name for one in fair([endpoint("b"), endpoint("a"), long])] == ["z", "a", "b"]


@pytest.mark.parametrize(
    ("executor", "cores", "free", "expected"),
    [
        (ProcessExecutor(), 1, 64 * GIB, (8, 64)),
        (ProcessExecutor(), 8, 64 * GIB, (32, 64)),
        (ProcessExecutor(), 64, 64 * GIB, (64, 64)),
        (ProcessExecutor(), 8, GIB // 4, (2, 2)),
        (ProcessExecutor(), 8, 0, (1, 1)),
        (ProcessExecutor(), 2, None, (8, 64)),
        (ProcessExecutor(workers=3), 8, 0, (3, 3)),
    ],
)
def test_machine_bounds_how_many_are_at_work_unless_it_is_written(
    executor: ProcessExecutor, cores: int, free: int | None, expected: tuple[int, int]
) -> None:
    assert limits(executor, cores, free) == expected


def future_of(result: object) -> Future[Inventory]:
    future: Future[Any] = Future()
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
    return future


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (RuntimeError("4 workers died"), "no worker could read it: RuntimeError: 4 workers died"),
        (None, "internal error: the worker answered something else"),
    ],
)
def test_whatever_an_executor_brings_instead_of_the_inventory_is_missing(
    result: object, said: str
) -> None:
    seen = outcome(future_of(result), endpoint(), NOW, threading.Event(), lambda: None)
    assert reason(seen) == said


def test_inventory_of_another_endpoint_is_not_taken_for_this_ones() -> None:
    other = collect(endpoint("other", kind="none"), Secrets(), NOW)
    seen = outcome(future_of(other), endpoint(), NOW, threading.Event(), lambda: None)
    assert reason(seen) == "internal error: the worker answered something else"


def test_future_that_is_cancelled_lost_or_stopped_is_missing() -> None:
    cancelled: Future[Inventory] = Future()
    cancelled.cancel()
    stop = threading.Event()
    assert "gave its reading up" in reason(outcome(cancelled, endpoint(), NOW, stop, lambda: None))
    assert (
        reason(outcome(Future(), endpoint(), NOW, stop, lambda: "nobody there")) == "nobody there"
    )
    stop.set()
    assert reason(outcome(Future(), endpoint(), NOW, stop, lambda: None)) == "interrupted"
