"""The command line against a vCenter that is slow, silent, broken, half hidden, or not the one."""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.beds import certificates
from tests.beds.simulator import PASSWORD, USER, Simulator
from tests.beds.soapline import Deed, SoapLine, SoapTrouble
from tests.canaries import REFUSED
from tests.cli.running import Ran, snapaudit, write_config

pytestmark = pytest.mark.bed

BULK = "RetrievePropertiesEx"


@pytest.fixture(scope="module")
def vcenter() -> Iterator[Simulator]:
    with Simulator(vms=8, snapshots=2, page=3) as simulator:
        yield simulator


@pytest.fixture
def line(vcenter: Simulator) -> Iterator[SoapLine]:
    with SoapLine(vcenter) as before:
        yield before
        vcenter.tell("clear")


def configured(folder: Path, at: Simulator | SoapLine, tls: str | None = None, **more: str) -> None:
    options = "".join(f", {key}: {value}" for key, value in more.items())
    trusted = tls or f"ca_file: {at.ca_file}"
    entry = (
        f"{{name: vc, kind: vsphere, url: '{at.url}', username: {USER}, "
        f"password: {{env: VC_PASSWORD}}, tls: {{{trusted}}}{options}}}"
    )
    write_config(folder, entry)


def audited(folder: Path, password: str = PASSWORD) -> tuple[Ran, dict[str, Any]]:
    ran = snapaudit("audit", "-f", "json", "--no-record", cwd=folder, VC_PASSWORD=password)
    assert ran.out, f"exit {ran.code} and no answer: {ran.err}"
    return ran, json.loads(ran.out)


def refused(folder: Path, password: str = PASSWORD) -> str:
    """The reason why the endpoint is missing; `check` calls it UNKNOWN too."""
    ran, document = audited(folder, password)
    assert ran.code == 3, f"exit {ran.code}: {ran.out[-2000:]}{ran.err}"
    (covered,) = document["coverage"]
    assert covered["state"] == "missing", covered
    assert document["inventories"][0]["virtual_machines"] == []
    assert "Traceback" not in ran.err
    assert snapaudit("check", cwd=folder, VC_PASSWORD=password).code == 3
    return str(covered["reason"])


def test_whole_vcenter_in_pages_is_complete(tmp_path: Path, line: SoapLine) -> None:
    configured(tmp_path, line)
    ran, document = audited(tmp_path)
    assert (ran.code, document["coverage"][0]["state"]) == (0, "complete")
    assert document["coverage"][0]["snapshots"] == 16
    assert line.counts.arrived["ContinueRetrievePropertiesEx"] > 2
    assert line.counts.changes == []


def test_slow_vcenter_is_read_all_the_same(tmp_path: Path, line: SoapLine) -> None:
    line.make(SoapTrouble(deed=Deed.DELAY, method=BULK, times=2, seconds=1.0))
    configured(tmp_path, line)
    ran, document = audited(tmp_path)
    assert (ran.code, document["coverage"][0]["virtual_machines"]) == (0, 8)


def test_vcenter_that_falls_silent_is_missing_at_the_deadline(
    tmp_path: Path, line: SoapLine
) -> None:
    line.make(SoapTrouble(deed=Deed.HANG, method=BULK, times=99))
    configured(tmp_path, line, deadline="3s")
    assert "3 s" in refused(tmp_path) or "in time" in refused(tmp_path)


@pytest.mark.parametrize("method", ["RetrieveServiceContent", "Login", "CreateContainerView", BULK])
@pytest.mark.parametrize("deed", [Deed.RESET, Deed.KEEP, Deed.STATUS])
def test_line_that_breaks_anywhere_makes_it_missing_and_says_so(
    tmp_path: Path, line: SoapLine, method: str, deed: Deed
) -> None:
    line.make(SoapTrouble(deed=deed, method=method, times=99))
    configured(tmp_path, line)
    assert f"127.0.0.1:{line.port}" in refused(tmp_path)


def test_page_that_breaks_off_is_no_end_of_the_list(tmp_path: Path, line: SoapLine) -> None:
    method = "ContinueRetrievePropertiesEx"
    line.make(SoapTrouble(deed=Deed.RESET, method=method, nth=2, times=99))
    configured(tmp_path, line)
    assert "cut off before its end" in refused(tmp_path)


def test_session_that_ends_while_it_is_read_is_opened_again(tmp_path: Path, line: SoapLine) -> None:
    line.make(SoapTrouble(deed=Deed.FAULT, method="ContinueRetrievePropertiesEx", nth=2))
    configured(tmp_path, line)
    ran, document = audited(tmp_path)
    assert (ran.code, document["coverage"][0]["snapshots"]) == (0, 16)
    assert line.counts.arrived["Login"] == 2


def test_wrong_password_is_one_line_with_the_repair(tmp_path: Path, line: SoapLine) -> None:
    configured(tmp_path, line)
    assert "check the endpoint's username and password" in refused(tmp_path, REFUSED)


def test_what_the_account_may_not_read_is_named_and_partial(
    tmp_path: Path, vcenter: Simulator, line: SoapLine
) -> None:
    vcenter.tell("deny", object="vm-3", path="snapshot")
    configured(tmp_path, line)
    ran, document = audited(tmp_path)
    (covered,) = document["coverage"]
    assert (ran.code, covered["state"]) == (3, "partial")
    assert "virtual machine vm-3" in covered["reason"]
    assert "lacks" in covered["reason"]


def test_datastore_that_the_account_may_not_see_is_given_away_by_its_machines(
    tmp_path: Path, vcenter: Simulator, line: SoapLine
) -> None:
    vcenter.tell("hide", object="datastore1")
    configured(tmp_path, line)
    ran, document = audited(tmp_path)
    assert (ran.code, document["coverage"][0]["state"]) == (3, "partial")
    assert "not visible to this account" in document["coverage"][0]["reason"]


def test_certificate_of_an_unknown_authority_is_refused(tmp_path: Path, line: SoapLine) -> None:
    configured(tmp_path, line, tls="verify: true")
    assert "its authority is not trusted here" in refused(tmp_path)
    assert line.counts.arrived.total() == 0


def test_certificate_that_is_not_the_pinned_one_is_refused_before_a_word_is_sent(
    tmp_path: Path, line: SoapLine
) -> None:
    configured(tmp_path, line, tls=f"fingerprint: 'sha256:{'0' * 64}'")
    assert "the certificate is not the pinned one" in refused(tmp_path)
    assert line.counts.arrived.total() == 0


def test_pinned_certificate_is_verified_and_an_unchecked_one_says_so(
    tmp_path: Path, line: SoapLine
) -> None:
    configured(tmp_path, line, tls=f"fingerprint: 'sha256:{fingerprint(line.port)}'")
    assert audited(tmp_path)[1]["inventories"][0]["connection_verified"] is True
    configured(tmp_path, line, tls="verify: false")
    document = audited(tmp_path)[1]
    assert document["inventories"][0]["connection_verified"] is False
    assert document["coverage"][0]["cautions"]


def fingerprint(port: int) -> str:
    text = ssl.get_server_certificate(("127.0.0.1", port))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()


def test_what_is_no_vcenter_is_named(tmp_path: Path) -> None:
    class Hello(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = b"<html><body>It works!</body></html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    folder = certificates.for_loopback()
    server = HTTPServer(("127.0.0.1", 0), Hello)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "servercert.pem", folder / "serverkey.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        entry = (
            f"{{name: vc, kind: vsphere, url: 'https://127.0.0.1:{server.server_port}', "
            f"username: a, password: {{env: VC_PASSWORD}}, "
            f"tls: {{ca_file: {folder / 'cacert.pem'}}}}}"
        )
        write_config(tmp_path, entry)
        assert "is it a vCenter or ESXi host?" in refused(tmp_path)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
