"""Name, port and certificate of a server on loopback, right and wrong."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from snapaudit.app.reaching import reach
from snapaudit.model.endpoint import Tls
from snapaudit.model.examination import Peer, Probe, ProbeState
from tests.beds import certificates

pytestmark = pytest.mark.bed
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = certificates.authority(tmp_path_factory.mktemp("site"))
    certificates.server(folder, "localhost")
    return folder


@contextmanager
def listening(context: ssl.SSLContext | None) -> Iterator[int]:
    """A server that shakes hands, with or without TLS, and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    line, _ = server.accept()
                except TimeoutError:
                    continue
                with line:
                    line.settimeout(5)
                    _greet(line, context)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join()


def _greet(line: socket.socket, context: ssl.SSLContext | None) -> None:
    try:
        if context is None:
            line.sendall(b"SSH-2.0-nothing\r\n")
        else:
            with context.wrap_socket(line, server_side=True) as secure:
                secure.recv(1)
    except OSError:
        return


@pytest.fixture
def port(site: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(site / "servercert.pem", site / "serverkey.pem")
    with listening(context) as chosen:
        yield chosen


def shown(site: Path) -> str:
    der = ssl.PEM_cert_to_DER_cert((site / "servercert.pem").read_text())
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def probes(port: int, tls: Tls, host: str = "localhost", now: datetime = NOW) -> dict[str, Probe]:
    return {probe.name: probe for probe in reach(Peer(host=host, port=port), tls, now)}


def test_verified_server_is_told_with_its_version_and_days(port: int, site: Path) -> None:
    later = NOW + timedelta(hours=12)
    found = probes(port, Tls(ca_file=str(site / "cacert.pem")), now=later)
    assert [found[name].state for name in ("name", "port", "tls")] == [ProbeState.OK] * 3
    assert found["tls"].sentence.startswith("TLSv1.")
    assert "cacert.pem" in found["tls"].sentence
    assert "1 day left" in found["certificate"].sentence


def test_certificate_is_told_with_the_fingerprint_that_pins_it(port: int, site: Path) -> None:
    found = probes(port, Tls(ca_file=str(site / "cacert.pem")))
    assert found["certificate"].sentence.endswith(shown(site))


def test_certificate_that_a_library_checks_by_itself_is_only_looked_at(
    port: int, site: Path
) -> None:
    peer = Peer(host="localhost", port=port, checks_itself=True)
    *_, certificate = found = list(reach(peer, Tls(), NOW))
    assert [probe.name for probe in found] == ["name", "port", "certificate"]
    assert shown(site) in certificate.sentence


def test_server_that_shows_its_certificate_to_no_stranger_is_not_at_fault() -> None:
    with listening(None) as port:
        *_, certificate = reach(Peer(host="localhost", port=port, checks_itself=True), Tls(), NOW)
    assert certificate.state is ProbeState.OK
    assert "no stranger" in certificate.sentence


def test_certificate_that_ends_soon_is_a_warning_with_its_repair(port: int, site: Path) -> None:
    soon = probes(port, Tls(ca_file=str(site / "cacert.pem")))["certificate"]
    assert (soon.state, soon.repair is not None) == (ProbeState.WARNING, True)
    before = NOW - timedelta(days=60)
    long = probes(port, Tls(fingerprint=shown(site)), now=before)["certificate"]
    assert (long.state, long.repair) == (ProbeState.OK, None)


def test_expired_certificate_is_told_also_where_it_is_pinned(port: int, site: Path) -> None:
    later = NOW + timedelta(days=9)
    found = probes(port, Tls(fingerprint=shown(site)), now=later)
    assert found["tls"].state is ProbeState.OK
    assert found["certificate"].state is ProbeState.WARNING
    assert "has expired" in found["certificate"].sentence


def test_unknown_authority_fails_and_the_repair_names_the_fingerprint(
    port: int, site: Path
) -> None:
    found = probes(port, Tls())["tls"]
    assert found.state is ProbeState.FAILED
    assert found.repair is not None
    assert "ca_file" in found.repair
    assert shown(site) in found.repair


def test_certificate_of_another_name_fails(port: int, site: Path) -> None:
    found = probes(port, Tls(ca_file=str(site / "cacert.pem")), host="127.0.0.1")["tls"]
    assert found.state is ProbeState.FAILED
    assert "refused" in found.sentence


def test_pin_is_compared(port: int, site: Path) -> None:
    assert probes(port, Tls(fingerprint=shown(site)))["tls"].state is ProbeState.OK
    other = probes(port, Tls(fingerprint="sha256:" + "0" * 64))["tls"]
    assert other.state is ProbeState.FAILED
    assert "not the pinned one" in other.sentence


def test_server_that_nobody_checks_is_a_warning(port: int, site: Path) -> None:
    found = probes(port, Tls(verify=False))["tls"]
    assert found.state is ProbeState.WARNING
    assert found.repair is not None
    assert shown(site) in found.repair


def test_file_of_authorities_that_cannot_be_read_is_named(port: int) -> None:
    found = probes(port, Tls(ca_file="/nowhere/ca.pem"))["tls"]
    assert found.state is ProbeState.FAILED
    assert "/nowhere/ca.pem" in found.sentence


def test_port_that_speaks_something_else_is_told() -> None:
    with listening(None) as port:
        found = probes(port, Tls())
    assert list(found) == ["name", "port", "tls"]
    assert found["tls"].state is ProbeState.FAILED
    assert "no encrypted connection" in found["tls"].sentence


def test_port_on_which_nothing_listens_ends_the_way() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = probes(port, Tls(), host="127.0.0.1")
    assert list(found) == ["name", "port"]
    assert found["port"].state is ProbeState.FAILED
    assert "nothing listens" in found["port"].sentence


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".example", "ex..ample"])
def test_name_that_nobody_knows_ends_the_way(host: str) -> None:
    [probe] = probes(443, Tls(), host=host).values()
    assert (probe.name, probe.state) == ("name", ProbeState.FAILED)
    assert probe.repair is not None


def test_plain_peer_gets_no_handshake() -> None:
    with listening(None) as port:
        peer = Peer(host="127.0.0.1", port=port, is_tls=False)
        found = list(reach(peer, Tls(), NOW))
    assert [(one.name, one.state) for one in found] == [
        ("name", ProbeState.OK),
        ("port", ProbeState.OK),
    ]
