"""Reading a Hyper-V host with 300 machines, 600 checkpoints and 1,800 disk files.

The host is the WS-Man server of the beds, which answers at once: what is measured is the wire and
our own work, not PowerShell's. Beside it the same by the libraries as they come, output alone, with
the envelope of 150 KB that they ask for. Then fifty hosts, of which five hang.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any

from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan
from winrm.protocol import Protocol

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.hyperv import delivery, parsing, transport
from snapaudit.hypervisors.hyperv.rows import Answer
from snapaudit.model.endpoint import Account, Endpoint
from tests.beds.wsman.accounts import ACCOUNTS
from tests.beds.wsman.faults import RECEIVE, Faults
from tests.beds.wsman.recording import printed, recorded, rows
from tests.beds.wsman.server import Host

ROUNDS = 5
HOSTS, HANGING, THREADS, DEADLINE = 50, 5, 16, 10.0
[(USER, PASSWORD)] = ACCOUNTS.items()


def ours(host: Host, name: str = "bench", seconds: float = 60) -> Answer:
    """The whole answer as rows."""
    endpoint = Endpoint(
        name=name,
        kind="hyperv",
        url=host.url,
        account=Account(username=USER),
        transport="ntlm",
        deadline=timedelta(seconds=seconds),
    )
    runner = transport.runner(endpoint, endpoint.account, PASSWORD)
    return parsing.answer(runner.run("collect", {}), name)


def by_pywinrm(host: Host) -> bytes:
    """The output alone, by pywinrm's own calls."""
    way: dict[str, Any] = {"transport": "ntlm", "ca_trust_path": None, "proxy": None}
    protocol = Protocol(f"{host.url}/wsman", username=USER, password=PASSWORD, **way)
    shell = protocol.open_shell(codepage=65001)
    command = protocol.run_command(shell, delivery.PROGRAM, delivery.switches(), False, True)
    text = delivery.standard_input("collect", {})
    protocol.send_command_input(shell, command, text, end=True)
    said = protocol.get_command_output(shell, command)[0]
    protocol.cleanup_command(shell, command)
    protocol.close_shell(shell)
    return said


def by_pypsrp(host: Host) -> bytes:
    """The same by pypsrp's WinRS layer."""
    wsman = WSMan(
        "127.0.0.1", port=host.port, ssl=False, username=USER, password=PASSWORD, auth="ntlm",
        no_proxy=True,
    )  # fmt: skip
    with wsman, WinRS(wsman, codepage=65001) as shell:
        process = Process(shell, delivery.PROGRAM, list(delivery.switches()), no_shell=True)
        process.begin_invoke()
        process.send(delivery.standard_input("collect", {}))
        process.end_invoke()
        process.signal("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/Terminate")
    return process.stdout


def _best(work: Callable[[], object]) -> float:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def one_host() -> None:
    """A line for each way: requests, messages, bytes both ways, seconds."""
    lines = printed(rows())
    ways: dict[str, Callable[[Host], object]] = {
        "ours, parsed": ours,
        "pywinrm, output": by_pywinrm,
        "pypsrp, output": by_pypsrp,
    }
    print(f"{len(lines):,} rows, {sum(map(len, lines)):,} bytes")
    head = ("requests", "messages", "sent", "received", "seconds", "ratio")
    print(f"{'':<18}" + "".join(f"{word:>11}" for word in head))
    first = 0.0
    for name, way in ways.items():
        with Host(recorded(lines)) as host:
            way(host)
            counted = (host.requests, sum(host.messages.values()), host.received, host.sent)
            took = _best(partial(way, host))
        first = first or took
        figures = "".join(f"{number:>11,}" for number in counted)
        print(f"{name:<18}{figures}{took:>11.3f}{took / first:>11.2f}")


def many_hosts() -> None:
    """Fifty hosts with a twentieth of that each, five of which never answer."""
    said = recorded(printed(rows(machines=15)))
    with ExitStack() as stack:
        fleet = [
            stack.enter_context(
                Host(said, faults=Faults(hang=frozenset({RECEIVE} if n < HANGING else ())))
            )
            for n in range(HOSTS)
        ]

        def outcome(number: int) -> str | None:
            try:
                ours(fleet[number], f"hv{number:02}", DEADLINE)
            except HypervisorError as error:
                return str(error)
            return None

        began = time.perf_counter()
        with ThreadPoolExecutor(THREADS) as threads:
            failed = [one for one in threads.map(outcome, range(HOSTS)) if one]
        took = time.perf_counter() - began
    print(f"{HOSTS} hosts, {THREADS} at a time, {HANGING} of them hang, deadline {DEADLINE:g} s:")
    print(f"{took:.1f} s, {HOSTS - len(failed)} read, not read:")
    for one in failed:
        print(f"  {one}")


def run() -> None:
    """Print both tables."""
    one_host()
    many_hosts()


if __name__ == "__main__":
    run()
