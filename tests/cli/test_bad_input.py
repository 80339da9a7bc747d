"""What goes wrong ends in one clear line, the exit code of the contract, and never a traceback."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snapaudit.codec.documents import inventories_document
from tests.builders import inventory, snapshot, vm
from tests.cli.running import Ran, interrupted_after, snapaudit, write_config


def one_line(ran: Ran) -> str:
    assert ran.has_no_traceback()
    lines = ran.err.strip().splitlines()
    assert len(lines) == 1, ran.err
    return lines[0]


def reason_of(ran: Ran) -> str:
    """The coverage reason of the only endpoint, out of the JSON audit."""
    assert ran.has_no_traceback()
    (entry,) = json.loads(ran.out)["coverage"]
    assert entry["state"] == "missing"
    return str(entry["reason"])


@contextmanager
def silent_server(path: Path) -> Iterator[None]:
    """Takes every connection and never says a word."""
    held: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield
        server.shutdown(socket.SHUT_RDWR)
    for connection in held:
        connection.close()


# Endpoints ---------------------------------------------------------------------------------------


def test_missing_sdk_is_one_sentence_that_names_the_extra(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "libvirt.py").write_text("raise ImportError('not installed')\n")
    write_config(tmp_path, "{name: kvm1, kind: libvirt, url: 'test:///default'}")
    ran = snapaudit("audit", "-f", "json", cwd=tmp_path, PYTHONPATH=str(blocked))
    assert ran.code == 3
    assert "snapaudit[libvirt]" in reason_of(ran)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("qemu:///system?socket=/nowhere/libvirt-sock", "running"),
        ("qemu+tcp://127.0.0.1:1/system", "running"),
        ("qemu+tcp://no.such.host.invalid/system", "host name"),
    ],
)
def test_daemon_that_cannot_be_reached_is_missing_with_the_repair(
    tmp_path: Path, url: str, hint: str
) -> None:
    write_config(tmp_path, f"{{name: kvm1, kind: libvirt, url: '{url}'}}")
    ran = snapaudit("audit", "-f", "json", cwd=tmp_path)
    assert ran.code == 3
    assert hint in reason_of(ran)


def test_daemon_that_never_answers_ends_at_the_deadline(tmp_path: Path) -> None:
    path = tmp_path / "s"
    endpoint = f"{{name: kvm1, kind: libvirt, url: 'qemu:///system?socket={path}', deadline: 2s}}"
    write_config(tmp_path, endpoint)
    with silent_server(path):
        began = time.monotonic()
        ran = snapaudit("audit", "-f", "json", cwd=tmp_path)
        took = time.monotonic() - began
    assert ran.code == 3
    assert "deadline of 2 s" in reason_of(ran)
    assert took < 30


@pytest.mark.parametrize(
    ("kind", "module", "url"),
    [
        ("vsphere", "pyVmomi", "https://vcenter.example.org"),
        ("hyperv", "winrm", "https://hv1.example.org:5986/wsman"),
    ],
)
def test_platform_that_is_not_installed_is_missing_and_keeps_no_other_from_being_read(
    tmp_path: Path, kind: str, module: str, url: str
) -> None:
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / f"{module}.py").write_text("raise ImportError('not installed')\n")
    entry = f"{{name: other, kind: {kind}, url: '{url}', username: a, password: {{env: PW}}}}"
    write_config(tmp_path, "{name: t, kind: libvirt, url: 'test:///default'}", entry)
    ran = snapaudit("audit", "-f", "json", cwd=tmp_path, PYTHONPATH=str(blocked), PW="x")
    states = {entry["endpoint"]: entry for entry in json.loads(ran.out)["coverage"]}
    assert ran.code == 3
    assert states["t"]["virtual_machines"] == 1
    assert states["other"]["state"] == "missing"
    assert f"snapaudit[{kind}]" in states["other"]["reason"]


def test_explain_of_what_an_unseen_endpoint_may_have_says_that_it_was_not_seen(
    tmp_path: Path,
) -> None:
    write_config(tmp_path, "{name: kvm1, kind: libvirt, url: 'qemu:///system?socket=/nowhere'}")
    ran = snapaudit("explain", "web01", cwd=tmp_path)
    assert ran.code == 2
    assert "kvm1 is missing" in one_line(ran)


def test_interrupt_ends_the_run_at_once_with_130_and_leaves_no_process(tmp_path: Path) -> None:
    path = tmp_path / "s"
    write_config(tmp_path, f"{{name: kvm1, kind: libvirt, url: 'qemu:///system?socket={path}'}}")
    with silent_server(path):
        ran = interrupted_after(1.5, "audit", cwd=tmp_path)
    assert (ran.code, ran.out) == (130, "")
    assert one_line(ran) == "snapaudit: interrupted"


def test_every_format_names_the_missing_endpoint(tmp_path: Path) -> None:
    write_config(tmp_path, "{name: kvm-lost, kind: libvirt, url: 'qemu+tcp://127.0.0.1:1/system'}")
    for name in ("table", "json", "csv", "markdown", "html"):
        ran = snapaudit("audit", "-f", name, cwd=tmp_path)
        assert ran.code == 3
        assert "kvm-lost" in ran.out, name


def test_check_with_a_missing_endpoint_is_unknown_and_never_ok(tmp_path: Path) -> None:
    write_config(tmp_path, "{name: kvm-lost, kind: libvirt, url: 'qemu+tcp://127.0.0.1:1/system'}")
    ran = snapaudit("check", cwd=tmp_path)
    assert ran.code == 3
    assert "UNKNOWN" in ran.out
    assert "kvm-lost" in ran.out


# Files and options -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("version: 1\nendpoint: []\n", "snapaudit.yaml:2:1: unknown key 'endpoint'"),
        ("version: 1\nversion: 1\n", "snapaudit.yaml:2:1: the key 'version' stands twice"),
        ("version: 1\nendpoints: [\n", "snapaudit.yaml:3:1"),
    ],
)
def test_wrong_configuration_is_told_with_its_place(tmp_path: Path, body: str, said: str) -> None:
    (tmp_path / "snapaudit.yaml").write_text(body)
    for command, code in (("audit", 2), ("check", 3)):
        ran = snapaudit(command, cwd=tmp_path)
        assert ran.code == code
        assert said in one_line(ran)


def test_no_configuration_at_all_says_what_to_do(tmp_path: Path) -> None:
    ran = snapaudit("audit", cwd=tmp_path)
    assert ran.code == 2
    assert "snapaudit init" in one_line(ran)


def test_cut_inventory_is_refused_by_name(tmp_path: Path) -> None:
    whole = inventories_document([inventory(vm("web", snapshot()))], compress=False)
    (tmp_path / "cut.json").write_bytes(whole[: len(whole) // 2])
    packed = inventories_document([inventory(vm("web", snapshot()))], compress=True)
    (tmp_path / "cut.json.gz").write_bytes(packed[: len(packed) // 2])
    for name in ("cut.json", "cut.json.gz", "absent.json"):
        ran = snapaudit("audit", "--inventory", name, cwd=tmp_path)
        assert ran.code == 2
        assert name in one_line(ran)


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "--bogus"],
        ["audit", "-f", "htlm", "--demo"],
        ["audit", "--now", "yesterday", "--demo"],
        ["audit", "--now", "2026-06-01T00:00:00", "--demo"],
        ["audit", "--demo", "--inventory", "x.json"],
        ["collect", "--demo"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(tmp_path: Path, arguments: list[str]) -> None:
    ran = snapaudit(*arguments, cwd=tmp_path)
    assert ran.code == 2
    one_line(ran)


def test_wrong_usage_of_check_is_3_so_that_a_typing_error_pages_nobody(tmp_path: Path) -> None:
    ran = snapaudit("check", "--bogus", cwd=tmp_path)
    assert ran.code == 3
    one_line(ran)


def test_help_of_check_under_monitoring_is_unknown(tmp_path: Path) -> None:
    assert snapaudit("check", "--help", cwd=tmp_path).code == 3
    assert snapaudit("audit", "--help", cwd=tmp_path).code == 0


def test_verbose_tells_every_step_on_stderr_and_the_result_alone_on_stdout(tmp_path: Path) -> None:
    write_config(tmp_path, "{name: t, kind: libvirt, url: 'test:///default'}")
    ran = snapaudit("audit", "-v", "-f", "json", cwd=tmp_path)
    assert json.loads(ran.out)["coverage"][0]["endpoint"] == "t"
    for phase in ("connecting", "reading", "measuring"):
        assert f"t  {phase}" in ran.err


def test_equal_inventories_and_now_give_equal_bytes(tmp_path: Path) -> None:
    machines = [vm(f"vm{n}", snapshot(age="9d"), snapshot("b", age="40d")) for n in range(5)]
    document = inventories_document([inventory(*machines)], compress=False)
    (tmp_path / "i.json").write_bytes(document)
    arguments = ("audit", "--inventory", "i.json", "--now", "2026-06-02T00:00:00Z", "-f", "json")
    first = snapaudit(*arguments, cwd=tmp_path, PYTHONHASHSEED="1")
    second = snapaudit(*arguments, cwd=tmp_path, PYTHONHASHSEED="2", TZ="Asia/Tokyo")
    assert first.code == 0
    assert first.out == second.out
    assert json.loads(first.out)["findings"]


# Names -------------------------------------------------------------------------------------------

HOSTILE = (
    "=1+1",
    "[/x]",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202egnp.exe",
    "line\nbreak",
    "n" * 300,
    "<script>alert(1)</script>",
    "zero\u200bwidth",
)


@pytest.mark.parametrize("form", ["table", "markdown", "html", "csv"])
def test_hostile_names_are_rendered_harmless(tmp_path: Path, form: str) -> None:
    snapshots = [snapshot(name, age="9d") for name in HOSTILE]
    document = inventories_document([inventory(vm("web", *snapshots))], compress=False)
    (tmp_path / "i.json").write_bytes(document)
    ran = snapaudit(
        "audit", "--inventory", "i.json", "--now", "2026-06-01T12:00:00Z", "-f", form, cwd=tmp_path
    )
    assert ran.code == 0
    assert ran.has_no_traceback()
    for forbidden in ("\x1b", "\x07", "\u202e", "\u200b"):
        assert forbidden not in ran.out
    if form in ("html", "markdown"):
        assert "<script>alert" not in ran.out


def test_version_needs_no_library(tmp_path: Path) -> None:
    ran = snapaudit("--version", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("snapaudit ")
