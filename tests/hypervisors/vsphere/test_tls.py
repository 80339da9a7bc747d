from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest

from snapaudit.errors import HypervisorError, UsageError
from snapaudit.hypervisors.vsphere.acting import ActingClient
from snapaudit.model.endpoint import Account, Tls
from snapaudit.trust import WrongCertificate, trust
from tests.beds import certificates
from tests.hypervisors.vsphere.soapserver import SoapServer
from tests.hypervisors.vsphere.soapwords import response

OTHER = "sha256:" + "ab" * 32
NOW = response("CurrentTime", "<returnval>2026-01-01T00:00:00Z</returnval>")


def fingerprint(folder: Path) -> str:
    pem = (folder / "servercert.pem").read_text()
    return "sha256:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates by another authority, for another name."""
    folder = certificates.authority(tmp_path_factory.mktemp("other"))
    certificates.server(folder, "elsewhere.example.org")
    return folder


def test_s2_an_authority_in_ca_file_verifies_the_server() -> None:
    with SoapServer() as server:
        client = server.client()
        assert client.is_verified
        client.close()
    assert server.called == ["RetrieveServiceContent", "Login", "Logout"]


def test_s2_an_unknown_authority_is_named_and_nothing_is_sent() -> None:
    refused = pytest.raises(WrongCertificate, match=r"authority is not trusted here.*ca_file")
    with SoapServer() as server, refused:
        server.client(tls=Tls())
    assert server.called == []


def test_s2_a_certificate_for_another_host_is_named_and_nothing_is_sent(other: Path) -> None:
    refused = pytest.raises(WrongCertificate, match=r"for another (host name|IP address)")
    with SoapServer(other) as server, refused:
        server.client()
    assert server.called == []


def test_s2_a_pinned_fingerprint_verifies_whatever_the_name(other: Path) -> None:
    with SoapServer(other) as server:
        client = server.client(tls=Tls(fingerprint=fingerprint(other)))
        assert client.is_verified
        client.close()


def test_s2_another_certificate_than_the_pinned_is_refused_before_anything_is_sent() -> None:
    refused = pytest.raises(WrongCertificate, match=r"not the pinned one.*sha256:")
    with SoapServer() as server, refused:
        server.client(tls=Tls(fingerprint=OTHER))
    assert server.called == []


def test_s2_the_fingerprint_is_compared_on_every_connection(other: Path, tmp_path: Path) -> None:
    """The server is replaced between two calls, at the same address."""
    with SoapServer() as server:
        server.says("CurrentTime", NOW)
        client = server.client(tls=Tls(fingerprint=fingerprint(server.folder)))
        server._server.context.load_cert_chain(other / "servercert.pem", other / "serverkey.pem")
        client.clock()  # the connection stands
        client._session.stub.DropConnections()
        before = list(server.called)
        with pytest.raises(WrongCertificate):
            client.clock()
        assert server.called == before
        client._session.stub.DropConnections()


def test_s2_without_verification_it_may_be_audited_and_is_not_verified(other: Path) -> None:
    with SoapServer(other) as server:
        client = server.client(tls=Tls(verify=False))
        assert not client.is_verified
        client.close()


def test_s2_grd_35_without_verification_no_acting_session_is_even_tried() -> None:
    with SoapServer() as server:
        endpoint = server.endpoint(tls=Tls(verify=False))
        with pytest.raises(UsageError, match="verify: false may audit"):
            ActingClient(endpoint, Account(username="a"), "b")
    assert server.called == []


def test_the_context_is_ours_also_for_loopback_addresses() -> None:
    """The client library would switch verification off for them."""
    context = trust(Tls()).context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("name", ["missing.pem", "empty.pem"])
def test_b_an_authority_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(UsageError, match=name):
        trust(Tls(ca_file=str(tmp_path / name)))


@pytest.mark.parametrize("written", ["sha256:ab", "sha1:" + "ab" * 20, "sha256:" + "zz" * 32])
def test_b_a_fingerprint_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        trust(Tls(fingerprint=written))


def test_p11_nobody_listens_is_told_so() -> None:
    with SoapServer() as server:
        port = server.port
    with pytest.raises(HypervisorError, match="nothing listens there"):
        server.client(url=f"https://127.0.0.1:{port}")


def test_p11_a_name_that_cannot_be_resolved_is_told_so() -> None:
    server = SoapServer()
    with pytest.raises(HypervisorError, match="host name cannot be resolved"):
        server.client(url="https://no-such-host.invalid")
    server._server.server_close()
