"""A whole fleet by one command: 200 endpoints of four kinds, of which 20 accept and say nothing.

10,080 machines with four snapshots each, read by ``snapaudit audit`` as a process of its own, over
the real protocols: libvirt's test driver, the vSphere simulator, and our WS-Man and XAPI servers,
all on the same processor as what reads them. Then twice the fleet, for the ratio; the same over a
Dask cluster that loses a worker; and what comes after the collection alone, from a saved file.
``python -m tests.bench.fleet`` prints the table.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from tests.beds import testdriver
from tests.beds.cluster import Cluster
from tests.beds.simulator import Simulator
from tests.beds.vmodels import many
from tests.beds.wsman.accounts import ACCOUNTS
from tests.beds.wsman.recording import printed, recorded, rows
from tests.beds.wsman.server import Host
from tests.beds.xapi.server import XapiBed
from tests.bench import xen
from tests.canaries import POOL

MACHINES, SNAPSHOTS = 56, 4
DEADLINE = 30
KINDS = ("libvirt", "vsphere", "hyperv", "xen")
# Of twenty endpoints so many of each kind are read, and two hang.
SHARES = {"libvirt": 7, "vsphere": 5, "hyperv": 3, "xen": 3}
TWENTY, HANGING = 20, 2
_FIRST = 1_750_000_000
_THREADS, _KILL_AFTER = 8, 20
_MIB = 2**20
# What ``getrusage`` tells of a child counts in what its parent held, so it is asked itself.
_MEASURED = """
import re, sys
from pathlib import Path
from snapaudit.cli import run
code = run(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
raise SystemExit(code)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What a command took and said: seconds, peak memory of its own process in bytes."""

    seconds: float
    memory: int
    code: int
    coverage: list[dict[str, Any]]
    fingerprints: frozenset[str]

    def named(self, state: str) -> list[str]:
        """The endpoints in a state, by name."""
        return [one["endpoint"] for one in self.coverage if one["state"] == state]


@contextmanager
def beds(folder: Path, machines: int = MACHINES) -> Iterator[dict[str, str]]:
    """A server of each kind, as the lines of an endpoint that are the same for all of its kind."""
    play = many(machines, snapshots=SNAPSHOTS, datastores=("store-0",)).write(folder / "play")
    lines = printed(rows(machines, SNAPSHOTS))
    (folder / "pool").mkdir()
    (folder / "password").touch(0o600)
    with ExitStack() as open_:
        vcenter = open_.enter_context(Simulator(play=play))
        windows = open_.enter_context(Host(recorded(lines)))
        pool = open_.enter_context(XapiBed(folder / "pool"))
        xen.can(pool, machines, SNAPSHOTS)
        [(user, password)] = ACCOUNTS.items()
        os.environ.update(FLEET_VC=vcenter.password, FLEET_HV=password, FLEET_XEN=POOL)
        yield {
            "libvirt": f"url: '{_host(folder, machines)}'",
            "vsphere": f"url: '{vcenter.url}', username: '{vcenter.username}', "
            f"password: {{env: FLEET_VC}}, tls: {{ca_file: '{vcenter.ca_file}'}}",
            "hyperv": f"url: '{windows.url}', username: '{user}', password: {{env: FLEET_HV}}, "
            "transport: ntlm",
            "xen": f"url: '{pool.url}', username: root, password: {{env: FLEET_XEN}}, "
            f"tls: {{ca_file: '{pool.ca_file}'}}",
        }


def _host(folder: Path, machines: int) -> str:
    return testdriver.write_host(
        folder, *(_machine(f"guest-{number:03}") for number in range(machines))
    )


def _machine(name: str) -> str:
    names = [f"before change {number}" for number in range(SNAPSHOTS)]
    shots = [
        testdriver.snapshot_xml(
            shot, name, unix_seconds=_FIRST + number * 86_400,
            parent=names[number - 1] if number else None, current=number == SNAPSHOTS - 1,
        )
        for number, shot in enumerate(names)
    ]  # fmt: skip
    machine = testdriver.machine_xml(name, [f"/images/{name}.qcow2"], *shots)
    # Without one, the driver invents an id at each opening.
    known = f"<uuid>{uuid5(NAMESPACE_OID, name)}</uuid><memory>"
    return machine.replace("<memory>", known)


@contextmanager
def hanging() -> Iterator[int]:
    """A port that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield server.getsockname()[1]


def configuration(
    folder: Path, lines: dict[str, str], port: int, endpoints: int, deadline: int, more: str = ""
) -> Path:
    """A configuration of so many endpoints, a multiple of twenty."""
    silent = {
        "libvirt": f"url: 'qemu+tcp://127.0.0.1:{port}/system'",
        "vsphere": f"url: 'https://127.0.0.1:{port}', username: a, password: {{env: FLEET_VC}}",
        "hyperv": f"url: 'http://127.0.0.1:{port}', username: a, password: {{env: FLEET_HV}}",
        "xen": f"url: 'https://127.0.0.1:{port}', username: a, password: {{env: FLEET_XEN}}",
    }
    entries = list[str]()
    for block in range(endpoints // TWENTY):
        for kind, share in SHARES.items():
            for number in range(share):
                entries.append(_entry(f"{kind}-{block:02}-{number}", kind, lines[kind], deadline))
        for number in range(HANGING):
            kind = KINDS[(block * HANGING + number) % len(KINDS)]
            entries.append(_entry(f"hung-{block:02}-{number}", kind, silent[kind], deadline))
    path = folder / "snapaudit.yaml"
    path.write_text(f"version: 1\n{more}endpoints:\n" + "".join(entries))
    return path


def _entry(name: str, kind: str, line: str, deadline: int) -> str:
    return f"  - {{name: {name}, kind: {kind}, deadline: {deadline}s, {line}}}\n"


def command(*words: str) -> Took:
    """Run ``snapaudit`` with JSON on stdout in a process of its own."""
    with tempfile.TemporaryFile() as out:
        began = time.perf_counter()
        arguments = [sys.executable, "-c", _MEASURED, *words, "-f", "json"]
        done = subprocess.run(arguments, stdout=out, stderr=subprocess.PIPE, check=False)
        seconds = time.perf_counter() - began
        out.seek(0)
        found = json.load(out)
    return Took(
        seconds=seconds,
        memory=int(done.stderr.split()[-1]) * 1024,
        code=done.returncode,
        coverage=found["coverage"],
        fingerprints=frozenset(one["fingerprint"] for one in found["findings"]),
    )


def run(sizes: tuple[int, ...] = (200, 400)) -> None:
    """Print what each size takes, the ratio, and what comes after the collection."""
    took = list[Took]()
    with tempfile.TemporaryDirectory(prefix="snapaudit-bench-") as name, hanging() as port:
        folder = Path(name)
        with beds(folder) as lines:
            for endpoints in sizes:
                config = configuration(folder, lines, port, endpoints, DEADLINE)
                took.append(command("audit", "-c", str(config), "--no-record"))
                _tell(endpoints, took[-1])
            if len(took) > 1:
                ratio = took[-1].seconds / took[0].seconds
                print(f"{sizes[-1] / sizes[0]:g} times the fleet: {ratio:.2f} times the time")
            _over_a_cluster(folder, lines, port, sizes[0], took[0])
            _afterwards(folder, lines, port, sizes[0])


def _tell(endpoints: int, took: Took) -> None:
    missing = took.named("missing")
    expected = endpoints // TWENTY * HANGING
    hung = [name for name in missing if name.startswith("hung-")]
    shots = sum(one["snapshots"] for one in took.coverage)
    print(
        f"{endpoints} endpoints, {shots:,} snapshots: {took.seconds:.1f} s, parent "
        f"{took.memory / _MIB:.0f} MiB, exit {took.code}, {len(hung)} of {expected} hung named, "
        f"{len(missing) - len(hung)} others missing",
        flush=True,
    )


def _over_a_cluster(
    folder: Path, lines: dict[str, str], port: int, endpoints: int, near: Took
) -> None:
    """The same fleet by three workers, of which one is killed when it has begun."""
    with Cluster() as dask:
        workers = [dask.worker(_THREADS) for _ in range(3)]
        more = f"executor: {{kind: dask, scheduler: '{dask.address}'}}\n"
        config = configuration(folder, lines, port, endpoints, DEADLINE, more)
        killing = Timer(_KILL_AFTER, dask.kill, (workers[0],))
        killing.start()
        far = command("audit", "-c", str(config), "--no-record")
        killing.join()
    _tell(endpoints, far)
    same = near.fingerprints == far.fingerprints
    print(
        f"that was over 3 Dask workers, one killed after {_KILL_AFTER} s: "
        f"{len(far.fingerprints):,} findings, {'the same' if same else 'NOT the same'}",
        flush=True,
    )


def _afterwards(folder: Path, lines: dict[str, str], port: int, endpoints: int) -> None:
    config = configuration(folder, lines, port, endpoints, DEADLINE)
    saved = folder / "saved.json.gz"
    collect = [sys.executable, "-m", "snapaudit", "collect", "-c", str(config), "-o", str(saved)]
    subprocess.run(collect, check=False, stderr=subprocess.DEVNULL)
    took = command("audit", "-c", str(config), "--inventory", str(saved), "--no-record")
    shots = sum(one["snapshots"] for one in took.coverage)
    print(
        f"after the collection, {shots:,} snapshots from file to JSON: {took.seconds:.1f} s, "
        f"{took.memory / _MIB:.0f} MiB"
    )


if __name__ == "__main__":
    run(tuple(map(int, sys.argv[1:])) or (200, 400))
