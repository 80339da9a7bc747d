from __future__ import annotations

import subprocess
import sys

import pytest

from snapaudit.errors import HypervisorError, MissingSdk
from snapaudit.hypervisors.vsphere.connecting import acting_service, reading_service
from snapaudit.model.endpoint import Account
from tests.hypervisors.vsphere.soapserver import SoapServer
from tests.hypervisors.vsphere.soapwords import fault, response

_READS = """
import sys
from snapaudit.hypervisors.vsphere.connecting import reading_service
from snapaudit.model.endpoint import Account, Endpoint, Tls
assert "pyVmomi" not in sys.modules
url, ca_file = sys.argv[1:]
endpoint = Endpoint(name="vc1", kind="vsphere", url=url, tls=Tls(ca_file=ca_file))
service = reading_service(endpoint, Account(username="a"), "b")
service.close()
print(*(name for name in sys.modules if "vsphere" in name or name == "pyVim"))
"""


def test_inv_12_reading_loads_nothing_that_could_act() -> None:
    with SoapServer() as server:
        endpoint = server.endpoint()
        words = [endpoint.url, str(endpoint.tls.ca_file)]
        command = [sys.executable, "-c", _READS, *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    loaded = done.stdout.split()
    assert "snapaudit.hypervisors.vsphere.client" in loaded
    assert "snapaudit.hypervisors.vsphere.acting" not in loaded
    assert "snapaudit.hypervisors.vsphere.act" not in loaded
    assert "pyVim" not in loaded


@pytest.mark.parametrize("service", [reading_service, acting_service])
def test_a_missing_extra_ends_in_one_sentence(
    service: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("snapaudit.hypervisors.vsphere")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyVmomi", None)
    with SoapServer() as server:
        with pytest.raises(MissingSdk, match=r"pipx install 'snapaudit\[vsphere\]'"):
            service(server.endpoint(), Account(username="a"), "b")
        assert server.called == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html><body>It works!</body></html>", "is it a vCenter"),
        (response("RetrieveServiceContent"), "RetrieveServiceContent is empty"),
        ((404, b"not found"), "HTTP 404"),
        ((302, b""), "HTTP 302"),
        (b"", "cut off"),
        (fault("NotSupported"), "NotSupported"),
    ],
)
def test_p11_what_is_no_vcenter_is_named_at_the_first_call_and_gets_no_password(
    answer: bytes | tuple[int, bytes], words: str
) -> None:
    with SoapServer() as server:
        server.says("RetrieveServiceContent", answer)
        with pytest.raises(HypervisorError, match=words) as refused:
            server.client()
        assert str(refused.value).startswith(f"vc1: https://127.0.0.1:{server.port}: ")
        assert server.called == ["RetrieveServiceContent"]


def test_a_login_without_an_answer_of_use_is_an_error() -> None:
    with SoapServer() as server:
        server.says("Login", response("Login"))
        with pytest.raises(HypervisorError, match="Login is empty"):
            server.client()


def test_closing_logs_out_and_is_harmless_when_the_server_is_gone() -> None:
    with SoapServer() as server:
        client = server.client()
        client.close()
        assert server.called[-1] == "Logout"
        client.close()
        client = server.client()
        server.says("Logout", lambda handler: handler.connection.close())
        client.close()
