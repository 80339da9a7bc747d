"""PowerShell sessions by pypsrp: the standard one, and a JEA endpoint that takes names alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from snapaudit.errors import AccessDenied, HypervisorError, MissingSdk, Unreachable
from snapaudit.hypervisors.hyperv import transport
from snapaudit.model.endpoint import Account, Tls
from tests.beds.wsman.faults import COMMAND, CREATE, DENIED, RECEIVE, Faults
from tests.beds.wsman.papers import Papers
from tests.beds.wsman.recording import printed, recorded, rows
from tests.beds.wsman.server import Host
from tests.canaries import REFUSED
from tests.hypervisors.hyperv.wires import PASSWORD, SMALL, USER, collected, endpoint, runner, small

STANDARD = {"session": "powershell"}
JEA = {"session": "jea", "configuration": "snapaudit"}


@pytest.mark.parametrize("options", [STANDARD, JEA])
def test_a_host_is_read_in_a_session_over_sealed_ntlm(options: dict[str, Any]) -> None:
    with Host(small) as host:
        assert len(collected(host, options=options).machines) == 2
        assert host.runs[0].script == "collect"
        assert host.runs[0].argument == {"sizes": True}
        assert host.left_open == 0
        assert host.messages == {"Create": 1, "Receive": 2, "Command": 1, "Delete": 1}


def test_a_large_host_is_read_in_a_session() -> None:
    with Host(recorded(printed(rows()))) as host:
        answer = collected(host, options=STANDARD)
        assert len(answer.disks) == 1800
        assert host.messages["Receive"] > 3


@pytest.mark.parametrize("auth", ["basic", "ntlm", "certificate"])
def test_sessions_over_https(host_papers: Papers, auth: str) -> None:
    certificate, key = map(str, host_papers.client)
    own = {"certificate": certificate, "certificate_key": key} if auth == "certificate" else {}
    with Host(small, tls=host_papers.context(), offers="Negotiate, Basic") as host:
        answer = collected(
            host,
            transport=auth,
            account=Account() if own else Account(username=USER),
            tls=Tls(ca_file=str(host_papers.ca_file)),
            options={**STANDARD, **own},
        )
        assert len(answer.machines) == 2


def test_a_pinned_certificate_is_compared_in_sessions_too(host_papers: Papers) -> None:
    with Host(small, tls=host_papers.context()) as host:
        right, wrong = host_papers.fingerprint, "sha256:" + "ab" * 32
        assert collected(host, tls=Tls(fingerprint=right), options=STANDARD).machines
        before = host.requests
        with pytest.raises(Unreachable, match="not the pinned one"):
            collected(host, tls=Tls(fingerprint=wrong), options=STANDARD)
        assert host.requests == before


def test_a_function_that_is_not_there_is_an_error_with_its_words() -> None:
    with Host(small) as host:
        ours: Any = runner(host, options={"session": "powershell", "configuration": "custom"})
        with pytest.raises(HypervisorError, match="is not what is taken here"):
            list(ours.run("collect", {}))
        assert ours.has_sent
        assert host.left_open == 0


def test_a_wrong_password_is_refused_access_in_sessions_too() -> None:
    with Host(small) as host, pytest.raises(AccessDenied, match="the login was refused"):
        collected(host, password=REFUSED, options=STANDARD)


def test_a_fault_is_told_in_sessions_too() -> None:
    with (
        Host(small, faults=Faults(refusals={CREATE: DENIED})) as host,
        pytest.raises(AccessDenied, match="opening a shell: the account may not"),
    ):
        collected(host, options=STANDARD)


@pytest.mark.parametrize("action", [CREATE, COMMAND, RECEIVE])
@pytest.mark.parametrize("body", [b"", b"<html>", b"<a/>"])
def test_an_answer_that_is_none_is_told_in_sessions_too(action: str, body: bytes) -> None:
    with Host(small, faults=Faults(garbage={action: body})) as host:
        with pytest.raises(HypervisorError, match="no answer of WinRM"):
            collected(host, options=STANDARD)
        assert host.left_open == 0


@pytest.mark.parametrize("action", [CREATE, COMMAND, RECEIVE])
def test_a_session_that_hangs_is_given_up_at_the_deadline(action: str) -> None:
    with Host(small, faults=Faults(hang=frozenset({action}))) as host:
        with pytest.raises(Unreachable, match="answer"):
            collected(host, options=STANDARD, seconds=2)
        assert host.left_open == 0


def test_rows_that_are_no_text_are_refused() -> None:
    def respond(_script: str, _argument: Mapping[str, Any]) -> Iterator[str]:
        yield 5  # type: ignore[misc]

    with (
        Host(respond) as host,
        pytest.raises(HypervisorError, match="something that is no row"),
    ):
        collected(host, options=STANDARD)


def test_lines_that_nobody_takes_leave_no_session_behind() -> None:
    with Host(small) as host:
        lines: Any = runner(host, options=STANDARD).run("collect", {})
        assert next(lines) == SMALL[0]
        lines.close()
        assert host.left_open == 0


def test_a_missing_pypsrp_is_one_sentence_with_the_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypsrp.powershell", None)
    monkeypatch.delitem(sys.modules, "snapaudit.hypervisors.hyperv.psrp", raising=False)
    chosen = endpoint("https://hv1", options=STANDARD)
    with pytest.raises(MissingSdk, match="session: powershell needs the pypsrp package"):
        transport.runner(chosen, chosen.account, PASSWORD)


def test_a_missing_pywinrm_is_one_sentence_with_the_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "winrm.protocol", None)
    monkeypatch.delitem(sys.modules, "snapaudit.hypervisors.hyperv.winrm", raising=False)
    chosen = endpoint("https://hv1")
    with pytest.raises(MissingSdk, match=r"pipx install 'snapaudit\[hyperv\]'"):
        transport.runner(chosen, chosen.account, PASSWORD)


def test_the_environment_changes_nothing_in_sessions_either(
    host_papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    tls = Tls(ca_file=str(host_papers.ca_file))
    with Host(small, tls=host_papers.context()) as host:
        assert collected(host, tls=tls, options=STANDARD).machines
