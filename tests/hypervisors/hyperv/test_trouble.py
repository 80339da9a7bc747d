"""What goes wrong on the way: one line with host, step and repair, and no shell left behind."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from snapaudit.errors import AccessDenied, HypervisorError, Unreachable
from snapaudit.hypervisors.hyperv import transport
from snapaudit.model.endpoint import Tls
from tests.beds.wsman import faults
from tests.beds.wsman.faults import COMMAND, CREATE, DELETE, RECEIVE, SEND, SIGNAL, Faults
from tests.beds.wsman.papers import Papers
from tests.beds.wsman.server import Host
from tests.canaries import REFUSED
from tests.hypervisors.hyperv.wires import PASSWORD, SMALL, collected, endpoint, runner, small

ACTIONS = (CREATE, COMMAND, SEND, RECEIVE)


def refused(host: Host, **changes: Any) -> HypervisorError:
    """What reading that host ends with."""
    with pytest.raises(HypervisorError) as caught:
        collected(host, **changes)
    said = str(caught.value)
    assert said.startswith("hv1")
    assert "\n" not in said
    assert PASSWORD not in said
    return caught.value


def test_a_wrong_password_is_refused_access_with_what_to_check() -> None:
    with Host(small) as host:
        error = refused(host, password=REFUSED)
        assert isinstance(error, AccessDenied)
        assert f"hv1: {host.url}: opening a shell: the login was refused" in str(error)
        assert host.messages == {}


def test_a_wrong_password_over_basic_is_refused_access(host_papers: Papers) -> None:
    with Host(small, tls=host_papers.context(), offers="Basic") as host:
        tls = Tls(ca_file=str(host_papers.ca_file))
        error = refused(host, transport="basic", tls=tls, password=REFUSED)
        assert isinstance(error, AccessDenied)
        assert "the login was refused" in str(error)


def test_a_host_that_bars_ntlm_is_told(host_papers: Papers) -> None:
    with Host(small, tls=host_papers.context(), offers="Basic") as host:
        error = refused(host, tls=Tls(ca_file=str(host_papers.ca_file)))
        assert isinstance(error, AccessDenied)
        assert "whether this kind of login is enabled" in str(error)


def test_an_expired_certificate_is_told_with_the_repair(host_papers: Papers) -> None:
    with Host(small, tls=host_papers.context(host_papers.expired)) as host:
        error = refused(host, tls=Tls(ca_file=str(host_papers.ca_file)))
        assert isinstance(error, Unreachable)
        assert "the host's certificate is refused: it has expired: renew it" in str(error)
        assert host.requests == 0


def test_a_certificate_of_an_unknown_authority_is_refused(host_papers: Papers) -> None:
    with Host(small, tls=host_papers.context()) as host:
        assert "not trusted here: name that authority's file as tls: ca_file" in str(refused(host))
        assert host.requests == 0


def test_a_certificate_for_another_name_is_refused(host_papers: Papers) -> None:
    with Host(small, tls=host_papers.context()) as host:
        url = host.url.replace("localhost", "127.0.0.1")
        chosen = endpoint(url, tls=Tls(ca_file=str(host_papers.ca_file)))
        with pytest.raises(Unreachable, match="it is for another IP address"):
            next(transport.runner(chosen, chosen.account, PASSWORD).run("collect", {}))


def test_a_certificate_that_is_not_the_pinned_one_gets_nothing_of_us(host_papers: Papers) -> None:
    with Host(small, tls=host_papers.context()) as host:
        pin = "sha256:" + "ab" * 32
        error = refused(host, tls=Tls(fingerprint=pin))
        assert "the host's certificate is not the pinned one" in str(error)
        assert host.requests == 0


def test_nothing_listens_means_that_winrm_is_off() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    chosen = endpoint(url)
    with pytest.raises(Unreachable, match=r"enable WinRM on the host \(winrm quickconfig"):
        next(transport.runner(chosen, chosen.account, PASSWORD).run("collect", {}))


def test_a_name_that_does_not_exist_is_told() -> None:
    chosen = endpoint("http://no-such-host.invalid")
    with pytest.raises(Unreachable, match="the host name cannot be resolved"):
        next(transport.runner(chosen, chosen.account, PASSWORD).run("collect", {}))


def test_the_quota_of_shells_is_told_with_the_setting() -> None:
    with Host(small, faults=Faults(quota=0)) as host:
        assert "MaxShellsPerUser" in str(refused(host))


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (faults.DENIED, AccessDenied, "that takes an administrator, or session: powershell or jea"),
        (faults.SHELL_GONE, HypervisorError, "the host ended the shell"),
        (faults.SCHEMA, HypervisorError, "the host does not accept the message"),
        (faults.TIMED_OUT, Unreachable, "the host did not get to it in time"),
        (12345, HypervisorError, "the host refused: It is refused. (fault 12345)"),
    ],
)
def test_faults_say_what_they_mean(code: int, kind: type[HypervisorError], words: str) -> None:
    with Host(small, faults=Faults(refusals={CREATE: code})) as host:
        error = refused(host)
        assert isinstance(error, kind)
        assert words in str(error)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (403, "may not use WinRM there"),
        (404, "no WinRM listens under that path"),
        (503, "Start-Service WinRM"),
        (418, "that is no answer of WinRM"),
    ],
)
def test_http_statuses_say_what_they_mean(status: int, words: str) -> None:
    with Host(small, faults=Faults(statuses={CREATE: status})) as host:
        assert f"HTTP status {status}: " in str(refused(host))
        assert words in str(refused(host))


def test_constrained_language_is_told_with_the_repair() -> None:
    with Host(small, faults=Faults(language="ConstrainedLanguage")) as host:
        said = str(refused(host))
        assert "PowerShell there runs in ConstrainedLanguage" in said
        assert "session: jea" in said
        assert host.left_open == 0


def test_a_missing_hyper_v_module_is_told_with_the_repair() -> None:
    def respond(_script: str, _argument: Mapping[str, Any]) -> Iterator[str]:
        yield SMALL[0]
        yield '{"k":"err","where":"module","id":null,"fqid":"x","hr":1,"msg":"not found"}'
        yield '{"k":"end","rows":2}'

    with Host(respond) as host:
        assert "Install-WindowsFeature Hyper-V-PowerShell" in str(refused(host))
        assert host.left_open == 0


def test_an_answer_that_was_cut_is_a_failed_host_and_never_one_without_checkpoints() -> None:
    for lines in range(len(SMALL)):
        with Host(small, faults=Faults(cut=lines)) as host:
            assert "the answer was cut" in str(refused(host))
            assert host.left_open == 0


@pytest.mark.parametrize("code", [1, None])
def test_a_script_that_ends_with_a_code_or_with_none_has_failed(code: int | None) -> None:
    with Host(small, faults=Faults(ending=(code, "Get-VM : it is broken\r\n  here"))) as host:
        said = str(refused(host))
        assert "Get-VM : it is broken here" in said
        assert ("ended with 1" if code else "ended without a code") in said


def test_a_complaint_on_the_error_stream_alone_is_no_failure() -> None:
    with Host(small, faults=Faults(ending=(0, "#< CLIXML\r\n<Objs></Objs>"))) as host:
        assert len(collected(host).machines) == 2


def test_an_error_as_clixml_is_read_as_text() -> None:
    xml = '#< CLIXML\r\n<Objs><S S="Error">a &lt;b&gt; c_x000D__x000A_</S><S S="Error">d</S></Objs>'
    with Host(small, faults=Faults(ending=(1, xml))) as host:
        assert str(refused(host)).endswith("a <b> c d")


def test_a_process_that_died_before_it_read_its_input_is_asked_for_its_last_words() -> None:
    with Host(small, faults=Faults(dies="insufficient memory")) as host:
        assert "insufficient memory" in str(refused(host))
        assert host.messages[RECEIVE] == 1
        assert host.left_open == 0


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "body", [b"", b"<html>hello", b"<a/>", b"\xff\xfe\x00", b"<a>&lt;</a>", b"<a Name='ShellId'/>"]
)
def test_an_answer_that_is_none_is_told_at_every_step(action: str, body: bytes) -> None:
    with Host(small, faults=Faults(garbage={action: body})) as host:
        said = str(refused(host, seconds=5))
        assert "hv1: " in said
        assert host.left_open <= (action == CREATE)


def test_entities_that_grow_are_refused() -> None:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE a [<!ENTITY a0 "{"x" * 100}">{levels}]><a>&a9;</a>'.encode()
    with Host(small, faults=Faults(garbage={RECEIVE: bomb})) as host:
        assert "no answer of WinRM" in str(refused(host))


def test_an_answer_that_is_too_large_is_given_up() -> None:
    with Host(small, faults=Faults(garbage={RECEIVE: b"<" * (2**23 + 1)})) as host:
        assert "larger than any that was asked for" in str(refused(host))


@pytest.mark.parametrize("action", ACTIONS)
def test_a_connection_that_breaks_is_told_and_the_shell_deleted(action: str) -> None:
    with Host(small, faults=Faults(drop=frozenset({action}))) as host:
        error = refused(host)
        assert isinstance(error, Unreachable)
        assert "the connection was lost" in str(error)
        # Nobody knows the id of a shell whose birth was not heard of; it has an idle limit.
        assert host.left_open == (action == CREATE)
        assert host.messages[action] == 1


@pytest.mark.parametrize("action", ACTIONS)
def test_a_host_that_hangs_is_given_up_at_the_deadline(action: str) -> None:
    with Host(small, faults=Faults(hang=frozenset({action}))) as host:
        error = refused(host, seconds=2)
        assert isinstance(error, Unreachable)
        assert re.search(r"no (complete )?answer", str(error))
        assert host.left_open == 0
        assert host.messages[DELETE] == (action != CREATE)
    assert host.messages[action] == 1


def test_a_host_that_answers_a_byte_at_a_time_is_cut_off_at_the_deadline() -> None:
    with Host(small, faults=Faults(drip=frozenset({RECEIVE}), chunk=2000)) as host:
        assert "no complete answer within" in str(refused(host, seconds=2))
        assert host.left_open == 0


def test_a_host_that_never_says_anything_but_wait_is_given_up_at_the_deadline() -> None:
    with Host(small, faults=Faults(timeouts=10**9)) as host:
        assert "no complete answer within" in str(refused(host, seconds=1))
        assert host.left_open == 0


@pytest.mark.parametrize("action", [SIGNAL, DELETE])
def test_trouble_in_tidying_up_does_not_spoil_an_answer(action: str) -> None:
    with Host(small, faults=Faults(drop=frozenset({action}))) as host:
        assert len(collected(host).machines) == 2
        assert host.left_open == 0


def test_no_redirect_is_followed() -> None:
    with Host(small) as elsewhere:
        with Host(small, faults=Faults(redirect=f"{elsewhere.url}/wsman")) as host:
            assert "we do not follow" in str(refused(host))
        assert elsewhere.requests == 0


def test_grd_24_a_script_whose_answer_was_lost_ran_once_and_is_known_to_have_been_sent() -> None:
    with Host(small, faults=Faults(drop=frozenset({RECEIVE}))) as host:
        ours: Any = runner(host)
        with pytest.raises(Unreachable):
            list(ours.run("remove", {"targets": []}))
        assert ours.has_sent
        assert len(host.runs) == 1


def test_a_script_that_was_never_sent_is_known_not_to_have_been() -> None:
    with Host(small, faults=Faults(drop=frozenset({COMMAND}))) as host:
        ours: Any = runner(host)
        with pytest.raises(Unreachable):
            list(ours.run("remove", {"targets": []}))
        assert not ours.has_sent
        assert host.runs == []


def test_a_server_that_speaks_no_http_is_told() -> None:
    with Talker(b"SSH-2.0-OpenSSH_9.2\r\n") as url:
        chosen = endpoint(url)
        with pytest.raises(HypervisorError, match="opening a shell"):
            next(transport.runner(chosen, chosen.account, PASSWORD).run("collect", {}))


class Talker:
    """Something on a port that says these bytes to whoever comes, and hangs up."""

    def __init__(self, words: bytes) -> None:
        self._words = words
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._talk, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _talk(self) -> None:
        connected, _ = self._socket.accept()
        with connected:
            connected.recv(65536)
            connected.sendall(self._words)
