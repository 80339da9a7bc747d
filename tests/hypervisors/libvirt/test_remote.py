"""The ways to a daemon on another machine, each with its real server on the loopback address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from snapaudit.app.gather import collect
from snapaudit.hypervisors.libvirt import LIBVIRT
from snapaudit.model.endpoint import Endpoint, Tls
from snapaudit.model.inventory import CoverageState, Inventory
from tests.beds import certificates
from tests.beds.guests import Life
from tests.beds.libvirtd import LibvirtBed
from tests.beds.sshd import SshServer
from tests.hypervisors.libvirt.acting import carry_out, deletion, subject

pytestmark = pytest.mark.bed


def seen_at(url: str, tls: Tls = Tls()) -> Inventory:  # noqa: B008 - the record is frozen
    endpoint = Endpoint(name="far", kind="libvirt", url=url, tls=tls)
    (inventory,) = collect((endpoint,), datetime.now(UTC), lambda _: None, lambda _: None)
    return inventory


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's own authority, with a certificate for ``localhost`` alone."""
    folder = certificates.authority(tmp_path_factory.mktemp("site"))
    certificates.server(folder, "localhost")
    return folder


@pytest.fixture(scope="module")
def bed(site: Path) -> Iterator[LibvirtBed]:
    with LibvirtBed(certificates=site) as started:
        started.define_vm("web", [started.create_image(started.pool() / "web.qcow2")])
        started.rw.storagePoolLookupByName("images").refresh()
        yield started


def client_folder(folder: Path, authority: Path) -> Path:
    folder.mkdir()
    (folder / "cacert.pem").write_bytes((authority / "cacert.pem").read_bytes())
    return folder


def test_tls_with_the_sites_own_authority(bed: LibvirtBed, site: Path, tmp_path: Path) -> None:
    pki = client_folder(tmp_path / "pki", site)
    found = seen_at(f"qemu+tls://localhost:{bed.daemon.tls_port}/session?pkipath={pki}")
    assert found.coverage.state is CoverageState.COMPLETE
    assert [vm.name for vm in found.virtual_machines] == ["web"]


def test_tls_with_a_certificate_of_another_authority_or_host_is_refused(
    bed: LibvirtBed, site: Path, tmp_path: Path
) -> None:
    other = certificates.authority(tmp_path / "other")
    cases = (
        ("localhost", client_folder(tmp_path / "wrong", other)),
        ("127.0.0.1", client_folder(tmp_path / "right", site)),
    )
    for host, pki in cases:
        found = seen_at(f"qemu+tls://{host}:{bed.daemon.tls_port}/session?pkipath={pki}")
        assert found.coverage.state is CoverageState.MISSING, host
        assert "for another host or from another CA" in (found.coverage.reason or "")


def test_tls_without_an_authority_says_where_to_put_it(bed: LibvirtBed, tmp_path: Path) -> None:
    found = seen_at(f"qemu+tls://localhost:{bed.daemon.tls_port}/session?pkipath={tmp_path}")
    assert found.coverage.state is CoverageState.MISSING
    assert "put the site's cacert.pem" in (found.coverage.reason or "")


def test_tls_settings_that_libvirt_would_not_heed_are_refused_and_not_ignored(
    bed: LibvirtBed, site: Path
) -> None:
    found = seen_at(bed.uri, Tls(ca_file=str(site / "cacert.pem")))
    assert found.coverage.state is CoverageState.MISSING
    assert "pkipath" in (found.coverage.reason or "")


def test_ssh_with_a_key(bed: LibvirtBed) -> None:
    with SshServer() as server:
        found = seen_at(server.uri(bed.daemon.socket))
        refused = seen_at(server.uri(bed.daemon.socket, key="host"))
    assert found.coverage.state is CoverageState.COMPLETE
    assert [vm.name for vm in found.virtual_machines] == ["web"]
    assert found.connection_verified is False  # the URI of the bed says no_verify=1
    assert refused.coverage.state is CoverageState.MISSING
    assert "ssh refused the login" in (refused.coverage.reason or "")


def test_plain_tcp_is_read_and_called_unverified(bed: LibvirtBed) -> None:
    found = seen_at(bed.tcp_uri())
    assert found.coverage.state is CoverageState.COMPLETE
    assert found.connection_verified is False
    assert seen_at(bed.uri).connection_verified is True


@pytest.mark.parametrize("merge", ["auto", "manual"])
def test_snapshot_on_another_host_is_deleted_over_a_verified_connection(
    bed: LibvirtBed, site: Path, tmp_path: Path, merge: str
) -> None:
    pki = client_folder(tmp_path / "pki", site)
    url = f"qemu+tls://localhost:{bed.daemon.tls_port}/session?pkipath={pki}"
    name = f"far-{merge}"
    with subject(bed, bed.pool(name), life=Life.RUNNING) as far:
        bed.rw.storagePoolLookupByName(name).refresh()
        far.take("s1")
        far.write(1, 2, 5)
        before = far.contents()
        action = deletion(far, "s1")
        endpoint = Endpoint(name="far", kind="libvirt", url=url, options={"merge": merge})
        actuator = LIBVIRT.actuator(endpoint, None)
        run = carry_out(actuator, action)
        actuator.close()
        assert run.names == (["delete"] if merge == "auto" else ["commit", "pivot", "forget"])
        assert run.failed == []
        assert far.contents() == before
        assert far.chains() == {"vda": [".qcow2"]}
        assert far.files() == {".qcow2"}
