from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.guests import Guest, Life
from tests.beds.libvirtd import MIB, LibvirtBed
from tests.beds.processes import alive, belonging_to, is_alive, wait_until

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def guest(libvirt_bed: LibvirtBed) -> Iterator[Guest]:
    image = libvirt_bed.create_image(libvirt_bed.pool("beds-own") / "writer.qcow2")
    guest = libvirt_bed.define_vm("writer", [image], life=Life.RUNNING)
    yield guest
    guest.domain.destroy()
    guest.domain.undefine()


def used_bytes(guest: Guest) -> int:
    return int(guest.domain.blockInfo("vda")[1])


def test_bed_that_ends_leaves_no_process_and_no_file() -> None:
    with LibvirtBed() as bed:
        image = bed.create_image(bed.pool() / "web.qcow2")
        bed.define_vm("web", [image], life=Life.RUNNING)
        guests = bed.daemon.guest_pids()
        assert len(alive(guests)) == 1
        assert set(guests) < set(belonging_to(bed.daemon.folder))
    assert alive(guests) == []
    assert belonging_to(bed.daemon.folder) == []
    assert not bed.daemon.folder.exists()


def test_bed_whose_tests_were_killed_leaves_nothing_either() -> None:
    program = (
        "import time\n"
        "from tests.beds.guests import Life\n"
        "from tests.beds.libvirtd import LibvirtBed\n"
        "with LibvirtBed() as bed:\n"
        "    image = bed.create_image(bed.pool() / 'web.qcow2')\n"
        "    bed.define_vm('web', [image], life=Life.RUNNING)\n"
        "    print(*bed.daemon.guest_pids(), bed.daemon.folder, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        pid, folder = tests.stdout.readline().split()
        assert is_alive(int(pid))
        tests.send_signal(signal.SIGKILL)
    wait_until(lambda: belonging_to(Path(folder)) == [], 10, "everything ends")
    wait_until(lambda: not Path(folder).exists(), 10, "its folder is gone")
    assert not is_alive(int(pid))


def test_daemon_and_guests_run_without_privileges(libvirt_bed: LibvirtBed, guest: Guest) -> None:
    for pid in libvirt_bed.daemon.guest_pids():
        assert Path(f"/proc/{pid}").stat().st_uid == libvirt_bed.daemon.account.uid != 0


def test_same_daemon_answers_on_socket_and_tcp(libvirt_bed: LibvirtBed, guest: Guest) -> None:
    for uri in (libvirt_bed.uri, libvirt_bed.tcp_uri()):
        connection = libvirt_bed.connect(uri, read_only=True)
        assert connection.getType() == "QEMU"
        assert connection.lookupByName("writer").UUIDString() == guest.domain.UUIDString()


def test_read_only_connection_changes_nothing(libvirt_bed: LibvirtBed, guest: Guest) -> None:
    with pytest.raises(libvirt_bed.sdk.libvirtError, match="read only"):
        libvirt_bed.ro.lookupByName("writer").destroy()


def test_failing_call_prints_nothing(
    libvirt_bed: LibvirtBed, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(libvirt_bed.sdk.libvirtError):
        libvirt_bed.ro.lookupByName("nobody-of-that-name")
    assert capfd.readouterr() == ("", "")


def test_write_of_a_guest_reaches_its_image_and_nowhere_else(guest: Guest) -> None:
    before = used_bytes(guest)
    guest.write("vda", 0, 4 * MIB)
    assert 4 * MIB <= used_bytes(guest) - before < 5 * MIB


def test_write_that_fails_says_so_in_the_words_of_qemu(guest: Guest) -> None:
    with pytest.raises(OSError, match="Input/output error"):
        guest.write("vda", 63 * MIB, 2 * MIB)


def test_disk_that_is_not_there_is_named(guest: Guest) -> None:
    with pytest.raises(LookupError, match="writer has no disk vdq"):
        guest.write("vdq", 0, MIB)


def test_transient_machine_is_forgotten_when_it_ends(libvirt_bed: LibvirtBed) -> None:
    image = libvirt_bed.create_image(libvirt_bed.pools / "short.qcow2")
    libvirt_bed.define_vm("short", [image], life=Life.TRANSIENT).domain.destroy()
    assert "short" not in [domain.name() for domain in libvirt_bed.ro.listAllDomains()]


def test_daemon_that_cannot_start_is_quoted_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SNAPAUDIT_REQUIRE_BEDS", raising=False)
    bed = LibvirtBed()
    monkeypatch.setattr(bed.daemon, "port", "no number")
    with pytest.raises(pytest.skip.Exception, match="no number"), bed:
        pass
    assert not bed.daemon.folder.exists()


def test_bed_without_libvirt_python_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNAPAUDIT_REQUIRE_BEDS", raising=False)
    monkeypatch.setitem(sys.modules, "libvirt", None)
    with pytest.raises(pytest.skip.Exception, match="libvirt-python"):
        LibvirtBed()
