"""Many hosts side by side: those that hang are named, and cost the others nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.hyperv import parsing, transport
from tests.beds.wsman.faults import COMMAND, CREATE, RECEIVE, SEND, Faults
from tests.beds.wsman.server import Host
from tests.hypervisors.hyperv.wires import PASSWORD, endpoint, small

HOSTS, HANGING = 50, {3: CREATE, 14: COMMAND, 25: SEND, 36: RECEIVE, 47: RECEIVE}
THREADS, SECONDS = 16, 4


@pytest.fixture
def fleet() -> Iterator[list[Host]]:
    with ExitStack() as stack:
        faults = [
            Faults(hang=frozenset({HANGING[number]}) if number in HANGING else frozenset())
            for number in range(HOSTS)
        ]
        yield [stack.enter_context(Host(small, faults=one)) for one in faults]


def test_of_fifty_hosts_the_five_that_hang_are_named_by_the_deadline(fleet: list[Host]) -> None:
    def outcome(number: int) -> str:
        chosen = endpoint(fleet[number].url, name=f"hv{number:02}", seconds=SECONDS)
        ours = transport.runner(chosen, chosen.account, PASSWORD)
        try:
            answer = parsing.answer(ours.run("collect", {}), chosen.name)
        except HypervisorError as error:
            return str(error)
        return f"{len(answer.machines)} machines"

    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = dict(enumerate(threads.map(outcome, range(HOSTS))))
    failed = {number: said for number, said in outcomes.items() if "machines" not in said}
    assert set(failed) == set(HANGING)
    for number, said in failed.items():
        assert said.startswith(f"hv{number:02}: {fleet[number].url}: ")
        assert "answer" in said
    assert {said for number, said in outcomes.items() if number not in failed} == {"2 machines"}
    assert [number for number, host in enumerate(fleet) if host.left_open] == []
