"""A fleet read by a Dask cluster: the same answer, and nothing clean that was not read."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from snapaudit.app import cluster as reading
from snapaudit.app.gather import collect
from snapaudit.app.reading import Secrets
from snapaudit.config.settings import DaskExecutor
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.ports import DONE, Step
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.beds import certificates, testdriver
from tests.beds.cluster import Cluster
from tests.builders import NOW
from tests.canaries import LIBVIRT

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def host(folder: Path) -> str:
    name, shot = "guest", "before upgrade"
    taken = testdriver.snapshot_xml(shot, name, unix_seconds=1_700_000_000, current=True)
    machine = testdriver.machine_xml(name, ["/x.qcow2"], taken)
    # Without one, the driver invents an id at each opening.
    known = "<uuid>6f1c7c1e-0000-4000-8000-000000000001</uuid><memory>"
    return testdriver.write_host(folder, machine.replace("<memory>", known))


def endpoints(url: str, count: int, **changes: Any) -> list[Endpoint]:
    return [
        Endpoint(name=f"e{number:02}", kind="libvirt", url=url, **changes)
        for number in range(count)
    ]


@contextmanager
def hung(count: int) -> Iterator[list[Endpoint]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system"
        yield [
            Endpoint(name=f"hung{number}", kind="libvirt", url=url, deadline=timedelta(seconds=4))
            for number in range(count)
        ]


def read(
    fleet: Sequence[Endpoint], executor: DaskExecutor | None, progress: Any = lambda _: None
) -> tuple[Inventory, ...]:
    return collect(fleet, NOW, lambda _: LIBVIRT, progress, None, executor)


def judged(inventories: Sequence[Inventory]) -> Audit:
    return audit(inventories, load_policy((), disable={}, levels={}, environments=()), NOW)


def reasons(inventories: Sequence[Inventory]) -> dict[str, str]:
    return {
        one.endpoint: one.coverage.reason or ""
        for one in inventories
        if one.coverage.state is CoverageState.MISSING
    }


def test_fleet_with_a_worker_killed_in_the_middle_gives_the_findings_of_one_machine(
    tmp_path: Path,
) -> None:
    with Cluster() as dask, hung(3) as silent:
        workers = [dask.worker() for _ in range(3)]
        killed = threading.Event()

        def kill_one(step: Step) -> None:
            if step.phase == DONE and not killed.is_set():
                killed.set()
                dask.kill(workers[0])

        fleet = [*endpoints(host(tmp_path), 24), *silent]
        far = read(fleet, DaskExecutor(scheduler=dask.address), kill_one)
        near = read(fleet, None)
    assert killed.is_set()
    assert [one.endpoint for one in far] == [one.endpoint for one in near]
    assert list(reasons(far)) == ["hung0", "hung1", "hung2"]
    assert judged(far).findings == judged(near).findings
    assert judged(far).findings


def test_site_without_a_worker_is_missing_while_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "GRACE_SECONDS", 6.0)
    url = host(tmp_path)
    paris = Endpoint(name="paris", kind="libvirt", url=url, site="paris")
    phases = set[tuple[str, str]]()
    with Cluster() as dask:
        dask.worker(berlin=4)
        berlin = endpoints(url, 2, site="berlin")
        executor = DaskExecutor(scheduler=dask.address)
        seen = read([paris, *berlin], executor, lambda s: phases.add((s.endpoint, s.phase)))
    assert reasons(seen) == {
        "paris": "the Dask scheduler has no worker of the site paris, or does not answer"
    }
    assert ("e00", "reading") in phases


def test_scheduler_that_vanishes_leaves_nothing_clean_and_no_run_hanging(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "GRACE_SECONDS", 3.0)
    with Cluster() as dask, hung(2) as silent:
        dask.worker()

        def kill(step: Step) -> None:
            if step.phase == "connecting":
                dask.kill(dask.scheduler)

        far = [one for one in silent if one]
        seen = read(far, DaskExecutor(scheduler=dask.address), kill)
    assert list(reasons(seen)) == ["hung0", "hung1"]


def test_scheduler_that_is_not_there_is_told_of_each_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "_CONNECT_SECONDS", 1)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        seen = read(endpoints("test:///default", 2), DaskExecutor(scheduler=address))
    told = reasons(seen)
    assert list(told) == ["e00", "e01"]
    assert all(f"scheduler at {address} cannot be reached" in one for one in told.values())


def test_cluster_speaks_tls_and_lets_no_stranger_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_CONNECT_SECONDS", 2)
    papers, others = tmp_path / "ours", tmp_path / "theirs"
    for folder in (papers, others):
        folder.mkdir()
        certificates.authority(folder)
        certificates.server(folder, "localhost")
    with Cluster(papers) as dask:
        dask.worker()
        fleet = endpoints(host(tmp_path), 1)
        [member] = read(fleet, member_of(dask, papers))
        [stranger] = read(fleet, member_of(dask, others))
    assert member.virtual_machines
    assert "cannot be reached" in (stranger.coverage.reason or "")


def member_of(dask: Cluster, folder: Path) -> DaskExecutor:
    return DaskExecutor(
        scheduler=dask.address,
        tls_ca_file=str(folder / "cacert.pem"),
        tls_client_cert=str(folder / "servercert.pem"),
        tls_client_key=str(folder / "serverkey.pem"),
    )


def test_worker_of_another_version_reads_nothing() -> None:
    [endpoint] = endpoints("test:///default", 1)
    seen = reading.collect_on_worker("0.0.0", "t", endpoint, Secrets(), NOW)
    assert "install the same" in (seen.coverage.reason or "")
