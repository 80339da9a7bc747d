"""Reading a vCenter: ours, pyVmomi's property collector, a loop, and the bytes alone.

All of it against our simulator over TLS, each client in a process of its own, so that CPU time and
peak memory are its alone; memory counts from the bare interpreter. The server shares the processor
with them, so walls are to be read as ratios. Start, import and login are not timed.

- floor: the same requests, sent without a library, answers read and dropped
- ours: the whole collection with both phases, to the inventory
- reading: of that, what comes before the records are understood
- pyVmomi: its property collector with the same paths in the same two phases, values as decoded
- loop: attribute by attribute of each machine, as scripts do; a part of the machines, scaled up
"""

from __future__ import annotations

import json
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_BARE = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

SIZES = (1_000, 5_000)
LINEAR = 10_000
SNAPSHOTS = 2
ROUNDS = 3
LOOPED = 200
_CLIENTS = ("floor", "ours", "reading", "pyVmomi", "loop")
_OBJECT = re.compile(rb'<obj type="VirtualMachine">([^<]*)</obj>')
_TOKEN = re.compile(rb"<token>([^<]*)</token>")
_CHUNK = 2**17


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock and of the processor, megabytes at the peak, machines that were read."""

    wall: float
    cpu: float
    megabytes: float
    machines: int


# In the client's process ------------------------------------------------------------------------


def _client(url: str, ca_file: str, username: str, password: str) -> Any:
    from snapaudit.hypervisors.vsphere.client import Client
    from snapaudit.model.endpoint import Account, Endpoint, Tls

    account = Account(username=username)
    endpoint = Endpoint(
        name="bench", kind="vsphere", url=url, tls=Tls(ca_file=ca_file), deadline=timedelta(hours=1)
    )
    return Client(endpoint, account, password)


def ours(client: Any) -> Callable[[], int]:
    """The whole collection."""
    from snapaudit.hypervisors.vsphere.collect import collect
    from snapaudit.model.endpoint import Endpoint

    endpoint = Endpoint(name="bench", kind="vsphere", url="https://127.0.0.1")

    def work() -> int:
        inventory = collect(client, endpoint, datetime.now(UTC), lambda _: None)
        assert all(len(vm.snapshots) == SNAPSHOTS for vm in inventory.virtual_machines)
        return len(inventory.virtual_machines)

    return work


def reading(client: Any) -> Callable[[], int]:
    """Both phases, the records dropped as they come."""
    from snapaudit.hypervisors.vsphere import paths

    def work() -> int:
        wanted = {paths.VIRTUAL_MACHINE: paths.LIGHT, **paths.AROUND}
        found = [one.moid for one in client.read(wanted) if "snapshot" in one.values]
        return sum(1 for _ in client.read_of(paths.VIRTUAL_MACHINE, found, paths.HEAVY))

    return work


def pyvmomi(client: Any) -> Callable[[], int]:
    """The client library's own decoder."""
    from snapaudit.hypervisors.vsphere import paths, reference

    def work() -> int:
        session = client._session
        light = {paths.VIRTUAL_MACHINE: paths.LIGHT, **paths.AROUND}
        with_snapshots = sum(
            any(each.name == "snapshot" for each in one.propSet)
            for one in reference.contents(session, light, 500)
        )
        heavy = {paths.VIRTUAL_MACHINE: paths.HEAVY}
        found = sum(1 for _ in reference.contents(session, heavy, 500))
        assert found == with_snapshots
        return found

    return work


def loop(client: Any) -> Callable[[], int]:
    """What a script does that was written after the library's examples."""
    from pyVmomi import vim

    from snapaudit.hypervisors.vsphere.stub import READING

    stub, content = client._session.stub, client._session.content
    stub._allowed = READING | {"Fetch"}

    def work() -> int:
        view = content.viewManager.CreateContainerView(
            content.rootFolder, [vim.VirtualMachine], True
        )
        machines = view.view[:LOOPED]
        for vm in machines:
            assert vm.name
            assert len(vm.snapshot.rootSnapshotList) > 0
            assert len(vm.layoutEx.file) > 0
            assert vm.config.hardware.device
            assert vm.runtime.powerState
        view.DestroyView()
        return len(machines)

    return work


def floor(client: Any) -> Callable[[], int]:
    """The same requests over one connection, and what comes is read and dropped."""
    from snapaudit.hypervisors.vsphere import paths
    from snapaudit.hypervisors.vsphere.bulk import PAGE, class_of
    from snapaudit.hypervisors.vsphere.soap import request

    session = client._session
    collector, content, stub = session.collector, session.content, session.stub
    moids = [one.moid for one in client.read({paths.VIRTUAL_MACHINE: ("name",)})]
    wanted = {paths.VIRTUAL_MACHINE: paths.LIGHT, **paths.AROUND}
    connection = stub.GetConnection()

    def call(body: bytes) -> Iterator[bytes]:
        headers = {"Content-Type": "text/xml", "SOAPAction": stub.versionId, "Cookie": stub.cookie}
        connection.request("POST", stub.path, body, {**headers, "Accept-Encoding": "gzip"})
        response = connection.getresponse()
        assert response.status == 200
        last = b""
        while piece := response.read(_CHUNK):
            last = (last + piece)[-512:] if len(piece) < 512 else piece[-512:]
        if token := _TOKEN.search(last):
            yield token[1]

    def pages(body: bytes) -> None:
        for token in call(body):
            pages(request.go_on(collector, token.decode()))

    def work() -> int:
        kinds = [class_of(kind) for kind in wanted]
        view = content.viewManager.CreateContainerView(content.rootFolder, kinds, True)
        reference = ("ContainerView", str(view._moId))
        pages(request.retrieve_view(collector, reference, wanted, PAGE))
        for at in range(0, len(moids), PAGE):
            chunk = moids[at : at + PAGE]
            pages(request.retrieve_objects(collector, paths.VIRTUAL_MACHINE, chunk, paths.HEAVY))
        view.DestroyView()
        return len(moids)

    return work


_WORKS = {"floor": floor, "ours": ours, "reading": reading, "pyVmomi": pyvmomi, "loop": loop}


def _child(name: str, *words: str) -> None:
    with closing(_client(*words)) as client:
        work = _WORKS[name](client)
        began, spent = time.perf_counter(), time.process_time()
        machines = work()
        wall, cpu = time.perf_counter() - began, time.process_time() - spent
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - _BARE) / 1024
    print(json.dumps([wall, cpu, peak, machines]))


# In the benchmark's process ---------------------------------------------------------------------


def _once(name: str, simulator: Any) -> Took:
    words = [simulator.url.removesuffix("/sdk"), str(simulator.ca_file)]
    words += [simulator.username, simulator.password]
    command = [sys.executable, "-m", "tests.bench.vsphere", name, *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Took(*json.loads(done.stdout))


def _median(name: str, simulator: Any, rounds: int) -> Took:
    took = [_once(name, simulator) for _ in range(rounds)]
    return Took(
        statistics.median(one.wall for one in took),
        statistics.median(one.cpu for one in took),
        max(one.megabytes for one in took),
        took[0].machines,
    )


def _row(name: str, machines: int, took: Took, floor: Took, ours: Took) -> None:
    scale = machines / took.machines
    note = f"  scaled from {took.machines}" if scale > 1 else ""
    wall, cpu = took.wall * scale, took.cpu * scale
    print(
        f"{machines:>6} {name:<8} {wall:8.2f} s {cpu:8.2f} CPU s {took.megabytes:6.0f} MB"
        f"   {wall / floor.wall:6.1f} x floor   {wall / ours.wall:5.1f} x ours{note}",
        flush=True,
    )


def _size(machines: int, names: tuple[str, ...]) -> Took:
    from tests.beds.simulator import Simulator

    with Simulator(vms=machines, snapshots=SNAPSHOTS) as simulator:
        rounds = {"floor": ROUNDS, "ours": ROUNDS, "reading": ROUNDS}
        took = {name: _median(name, simulator, rounds.get(name, 1)) for name in names}
    for name in names:
        assert took[name].machines in (machines, LOOPED), name
        _row(name, machines, took[name], took["floor"], took["ours"])
    return took["ours"]


def run() -> None:
    """Print the tables, and how much more the largest takes than the one before."""
    for machines in SIZES:
        before = _size(machines, _CLIENTS)
    largest = _size(LINEAR, _CLIENTS[:3])
    ratio = LINEAR / SIZES[-1]
    print(
        f"{ratio:g} times the machines: {largest.cpu / before.cpu:.2f} times the CPU seconds, "
        f"{largest.megabytes / before.megabytes:.2f} times the memory"
    )


if __name__ == "__main__":
    _child(*sys.argv[1:]) if len(sys.argv) > 1 else run()
