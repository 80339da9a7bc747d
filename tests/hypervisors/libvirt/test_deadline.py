"""Calls that may never return: given up at their deadline, and never in the way of the end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from snapaudit.hypervisors.libvirt import deadline
from snapaudit.hypervisors.libvirt.crew import Crew


def broken(_: object = None) -> None:
    raise OSError("broken")


def test_call_that_never_returns_is_given_up_at_its_deadline() -> None:
    with pytest.raises(deadline.TookTooLong, match=r"no answer within 0\.05 s"):
        deadline.within(0.05, lambda: time.sleep(5))


def test_call_under_way_tells_when_it_is_over_and_how_it_ended() -> None:
    gate = threading.Event()
    pending = deadline.start(lambda: gate.wait(5))
    before = pending.is_over
    gate.set()
    assert pending.awaited(5) is True
    assert (before, pending.is_over) == (False, True)
    failed = deadline.start(broken)
    with pytest.raises(OSError, match="broken"):
        failed.awaited(5)
    assert str(failed.error) == "broken"


def test_answers_come_in_the_order_of_the_items_and_an_error_in_its_turn() -> None:
    def one(number: int) -> int:
        time.sleep((5 - number) / 100)
        if number == 4:
            raise OSError("broken")
        return number * 10

    answers = Crew(3).map(one, range(5))
    assert [next(answers) for _ in range(4)] == [0, 10, 20, 30]
    with pytest.raises(OSError, match="broken"):
        next(answers)
    assert list(Crew(3).map(one, [])) == []


def test_at_most_so_many_threads_work_at_once() -> None:
    at_work, most, lock = [0], [0], threading.Lock()

    def one(_: int) -> None:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        time.sleep(0.01)
        with lock:
            at_work[0] -= 1

    list(Crew(3).map(one, range(12)))
    assert most == [3]


def test_program_ends_though_a_call_never_returns() -> None:
    program = (
        "import time\n"
        "from snapaudit.hypervisors.libvirt import deadline\n"
        "from snapaudit.hypervisors.libvirt.crew import Crew\n"
        "work = lambda: list(Crew(2).map(time.sleep, [60, 60]))\n"
        "try: deadline.within(0.1, work)\n"
        "except deadline.TookTooLong: print('gave up')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=20
    )
    assert done.stdout == "gave up\n"
