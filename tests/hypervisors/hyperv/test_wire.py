"""The way to a host and back, against a WS-Man server of our own; both libraries are unmodified."""

from __future__ import annotations

from typing import Any

import pytest
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan
from winrm.protocol import Protocol

from snapaudit.hypervisors.hyperv import delivery
from snapaudit.model.endpoint import Account, Tls
from tests.beds.wsman.faults import Faults
from tests.beds.wsman.papers import Papers
from tests.beds.wsman.powershell import unpack
from tests.beds.wsman.server import Host
from tests.hypervisors.hyperv.wires import PASSWORD, SMALL, USER, collected, runner, small

ONE_TRIP = {"Create": 1, "Command": 1, "Send": 1, "Receive": 1, "Signal": 1, "Delete": 1}


def test_a_host_is_read_in_one_round_trip_over_sealed_ntlm() -> None:
    with Host(small) as host:
        answer = collected(host)
        assert [machine.name for machine in answer.machines] == ["hv1-vm000", "hv1-vm001"]
        assert host.messages == ONE_TRIP
        assert host.runs[0].script == "collect"
        assert host.runs[0].argument == {"sizes": True}
        assert host.shells.complaints == []
        assert host.left_open == 0
        assert host.connections == 1


def test_grd_35_what_only_ntlm_seals_is_not_verified() -> None:
    with Host(small) as host:
        assert not runner(host).is_verified


def test_an_answer_in_pieces_is_put_together() -> None:
    with Host(small, faults=Faults(chunk=777, timeouts=3)) as host:
        assert len(collected(host).checkpoints) == 4
        assert host.messages["Receive"] > 10


def test_a_message_that_is_not_sealed_is_refused_by_the_bed() -> None:
    with Host(small) as host:
        way: dict[str, Any] = {"transport": "ntlm", "message_encryption": "never"}
        way |= {"proxy": None, "ca_trust_path": None}
        protocol = Protocol(f"{host.url}/wsman", username=USER, password=PASSWORD, **way)
        with pytest.raises(Exception, match="400"):
            protocol.open_shell()


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_https_with_an_authority_of_our_own(host_papers: Papers, auth: str) -> None:
    with Host(small, tls=host_papers.context(), offers="Negotiate, Basic") as host:
        tls = Tls(ca_file=str(host_papers.ca_file))
        assert len(collected(host, transport=auth, tls=tls).machines) == 2
        assert runner(host, transport=auth, tls=tls).is_verified
        assert host.left_open == 0


def test_https_by_a_pinned_fingerprint(host_papers: Papers) -> None:
    with Host(small, tls=host_papers.context(), offers="Basic") as host:
        tls = Tls(fingerprint=host_papers.fingerprint)
        assert len(collected(host, transport="basic", tls=tls).machines) == 2
        assert runner(host, transport="basic", tls=tls).is_verified


def test_https_without_verification_is_possible_and_told(host_papers: Papers) -> None:
    with Host(small, tls=host_papers.context()) as host:
        tls = Tls(verify=False)
        assert len(collected(host, tls=tls).machines) == 2
        assert not runner(host, tls=tls).is_verified


def test_https_with_a_client_certificate_and_no_password(host_papers: Papers) -> None:
    certificate, key = map(str, host_papers.client)
    with Host(small, tls=host_papers.context(), offers="Basic") as host:
        answer = collected(
            host,
            password="",
            transport="certificate",
            account=Account(),
            tls=Tls(ca_file=str(host_papers.ca_file)),
            options={"certificate": certificate, "certificate_key": key},
        )
        assert len(answer.machines) == 2


def test_the_environment_neither_sends_us_through_a_proxy_nor_changes_our_trust(
    host_papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    monkeypatch.setenv("CURL_CA_BUNDLE", "/nowhere.pem")
    with Host(small, tls=host_papers.context()) as host:
        tls = Tls(ca_file=str(host_papers.ca_file))
        assert len(collected(host, tls=tls).machines) == 2
    with Host(small) as host:
        assert len(collected(host).machines) == 2


def test_an_account_in_netrc_is_not_sent(
    host_papers: Papers, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "given" / "netrc"
    netrc.parent.mkdir()
    netrc.write_text(f"machine localhost login {USER} password {PASSWORD.replace(' ', '')}\n")
    monkeypatch.setenv("NETRC", str(netrc))
    certificate, key = map(str, host_papers.client)
    seen: list[str] = []
    with Host(small, tls=host_papers.context(), offers="Basic") as host:
        host.overheard = seen.append
        collected(
            host,
            transport="certificate",
            account=Account(),
            tls=Tls(ca_file=str(host_papers.ca_file)),
            options={"certificate": certificate, "certificate_key": key},
        )
    assert seen
    assert not any(header.startswith("Basic") for header in seen)


def test_one_runner_reads_again_and_again() -> None:
    with Host(small) as host:
        ours = runner(host)
        for _ in range(3):
            assert list(ours.run("collect", {})) == SMALL
        assert host.left_open == 0
        assert host.shells.most == 1


def test_a_runner_refuses_to_do_two_things_at_a_time() -> None:
    with Host(small) as host:
        ours = runner(host)
        first = ours.run("collect", {})
        next(first)
        with pytest.raises(RuntimeError, match="one thing at a time"):
            next(ours.run("watch", {}))


def test_lines_that_nobody_takes_any_more_leave_no_shell_behind() -> None:
    with Host(small, faults=Faults(chunk=100)) as host:
        lines = runner(host).run("collect", {})
        next(lines)
        assert host.left_open == 1
        lines.close()  # type: ignore[attr-defined]
        assert host.left_open == 0


def test_a_hundred_kilobytes_of_argument_arrive_whole() -> None:
    with Host(small) as host:
        files = [f"C:\\Machines\\{number:05}.vhdx" for number in range(6000)]
        list(runner(host).run("watch", {"files": list(files)}))
        assert host.runs[0].argument["files"] == files
        assert host.messages["Send"] > 1


@pytest.mark.parametrize("is_tls", [False, True])
def test_pypsrp_speaks_to_the_bed_with_its_shells_too(host_papers: Papers, is_tls: bool) -> None:
    tls = host_papers.context() if is_tls else None
    with Host(small, tls=tls, faults=Faults(timeouts=1, chunk=500)) as host:
        wsman = WSMan(
            "localhost" if is_tls else "127.0.0.1",
            port=host.port,
            ssl=is_tls,
            username=USER,
            password=PASSWORD,
            auth="ntlm",
            cert_validation=str(host_papers.ca_file) if is_tls else True,  # type: ignore[arg-type]
            no_proxy=True,
        )
        with wsman, WinRS(wsman, codepage=65001) as shell:
            words = list(delivery.switches())
            process = Process(shell, "powershell.exe", words, no_shell=True)
            process.begin_invoke()
            process.send(delivery.standard_input("collect", {"sizes": True}))
            process.end_invoke()
            process.signal(SignalCode.TERMINATE)
        assert process.stdout.decode().splitlines() == SMALL
        assert process.rc == 0
        assert host.left_open == 0
        assert host.shells.complaints == []


def test_what_is_delivered_is_what_is_shipped() -> None:
    for name in delivery.PARTS:
        assert unpack(delivery.standard_input(name, {"a": "\u00e4'\"`$(x)"})) == (
            name,
            {"a": "\u00e4'\"`$(x)"},
        )


def test_grd_32_the_command_is_the_same_whatever_the_argument() -> None:
    assert len(" ".join((delivery.PROGRAM, *delivery.switches()))) < 2000
    text = delivery.standard_input("remove", {"name": "'; Remove-Item C:\\ -Recurse; '"})
    assert text.splitlines()[0] == delivery.standard_input("remove", {}).splitlines()[0]
    assert text.isascii()
