"""``serve`` as a service manager runs it: started, scraped, told to end, killed."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snapaudit.codec.documents import inventories_document
from tests.beds.processes import belonging_to, wait_until
from tests.builders import inventory, snapshot, vm
from tests.cli.running import snapaudit, write_config

_SERVING = re.compile(r"serving (http://127\.0\.0\.1:\d+/metrics)")
_KEPT = ("PATH", "PYTHONPATH", "LANG")


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address that it says it serves."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "snapaudit", "serve", "--listen", "127.0.0.1:0", *arguments],
        cwd=folder,
        env={**kept, "HOME": str(folder)},  # by which its processes are found
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = _SERVING.search(line)
        assert found is not None, line + process.stderr.read()
        yield process, found[1]
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def scraped(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own address
        return str(answer.read().decode())


def save(folder: Path, *, name: str = "a") -> None:
    body = inventories_document([inventory(vm("web01", snapshot(name, age="9d")))], compress=False)
    (folder / "i.json").write_bytes(body)


def test_it_serves_what_it_collected_and_ends_when_told_to(tmp_path: Path) -> None:
    save(tmp_path)
    with started(tmp_path, "--inventory", "i.json", "--interval", "60s") as (process, url):
        wait_until(lambda: "snapaudit_status 2" in scraped(url), 30, "the first collection")
        text = scraped(url)
        assert "snapaudit_up 1.0" in text
        assert 'snapaudit_snapshots{endpoint="kvm1",hypervisor="libvirt"} 1.0' in text
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_ctrl_c_ends_it_as_interrupted(tmp_path: Path) -> None:
    save(tmp_path)
    with started(tmp_path, "--inventory", "i.json") as (process, _url):
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


def test_a_broken_file_later_on_leaves_the_last_collection_there_and_grows_stale(
    tmp_path: Path,
) -> None:
    save(tmp_path)
    often = ("--inventory", "i.json", "--interval", "1s", "--stale-after", "3s")
    with started(tmp_path, *often) as (_process, url):
        wait_until(lambda: "snapaudit_up 1.0" in scraped(url), 30, "the first collection")
        (tmp_path / "i.json").write_text("{")
        wait_until(lambda: "snapaudit_stale 1.0" in scraped(url), 30, "stale data")
        text = scraped(url)
        assert "snapaudit_status 2.0" in text
        failed = re.search(r'snapaudit_collections_total\{result="failed"\} (\d+)', text)
        assert failed is not None
        assert int(failed[1]) >= 1


@contextmanager
def silent_server() -> Iterator[int]:
    """Somebody who accepts every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_hung_endpoint_is_served_as_unknown_and_leaves_no_process_behind(
    tmp_path: Path, how: signal.Signals
) -> None:
    with silent_server() as port:
        url = f"qemu+tcp://127.0.0.1:{port}/system"
        write_config(tmp_path, f"{{name: far, kind: libvirt, url: '{url}', deadline: 600s}}")
        with started(tmp_path, "--interval", "1s", "--stale-after", "1s") as (process, at):
            wait_until(lambda: len(belonging_to(tmp_path)) > 1, 30, "a process that reads")
            text = scraped(at)
            assert "snapaudit_up 0.0" in text
            assert "snapaudit_collection_running 1.0" in text
            assert "snapaudit_endpoint_up" not in text
            process.send_signal(how)
            assert process.wait(20) == (0 if how is signal.SIGTERM else -how)
            wait_until(lambda: not belonging_to(tmp_path), 20, "the processes that it started end")


def test_an_endpoint_past_its_deadline_is_down_and_the_others_are_served(tmp_path: Path) -> None:
    with silent_server() as port:
        url = f"qemu+tcp://127.0.0.1:{port}/system"
        write_config(
            tmp_path,
            f"{{name: far, kind: libvirt, url: '{url}', deadline: 2s}}",
            "{name: near, kind: libvirt, url: 'test:///default'}",
        )
        with started(tmp_path, "--interval", "60s") as (_process, at):
            wait_until(lambda: "snapaudit_up 1.0" in scraped(at), 60, "a finished collection")
            text = scraped(at)
    assert 'snapaudit_endpoint_up{endpoint="far"} 0.0' in text
    assert 'snapaudit_virtual_machines{endpoint="near",hypervisor="libvirt"} 1.0' in text
    assert "snapaudit_status 3.0" in text


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--listen", "9876"), 2, "expected HOST:PORT"),
        (("--listen", "0.0.0.0:0"), 2, "--public"),
        (("--interval", "5"), 2, "--interval: '5' is no duration"),
        (("--interval", "0s"), 2, "at least 1s"),
        (("-f", "json"), 2, "cannot go with serve"),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = snapaudit("serve", "--demo", *arguments, cwd=tmp_path)
    assert ran.code == code
    assert said in ran.err
    assert ran.has_no_traceback()
