"""The WS-Man host itself: it takes what Windows takes, and of that only what is shipped."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError
from winrm.protocol import Protocol

from snapaudit.hypervisors.hyperv import delivery
from tests.beds.wsman.accounts import ACCOUNTS
from tests.beds.wsman.faults import QUOTA, SCHEMA, SHELL_GONE, Faults
from tests.beds.wsman.powershell import CMD_LIMIT, DIRECT_LIMIT
from tests.beds.wsman.recording import printed, recorded, rows
from tests.beds.wsman.server import Host

[(USER, PASSWORD)] = ACCOUNTS.items()
SAID = printed(rows(machines=1))


@pytest.fixture
def host() -> Iterator[Host]:
    with Host(recorded(SAID), faults=Faults(quota=2)) as one:
        yield one


def protocol(host: Host) -> Protocol:
    """The library's own client, unmodified."""
    way: dict[str, Any] = {"transport": "ntlm", "ca_trust_path": None, "proxy": None}
    return Protocol(f"{host.url}/wsman", username=USER, password=PASSWORD, **way)


def ended(host: Host, words: tuple[str, ...], given: bytes, *, direct: bool = True) -> Any:
    """Output, error stream and code of a command line with that input."""
    client = protocol(host)
    shell = client.open_shell()
    command = client.run_command(shell, "powershell.exe", words, skip_cmd_shell=direct)
    if given:
        client.send_command_input(shell, command, given, end=True)
    found = client.get_command_output(shell, command)
    client.close_shell(shell)
    return found


def test_what_is_shipped_runs(host: Host) -> None:
    output, errors, code = ended(host, delivery.switches(), delivery.standard_input("watch", {}))
    assert output.decode().splitlines() == SAID
    assert (errors, code) == (b"", 0)
    assert host.runs[0].script == "watch"


def test_another_script_does_not_run(host: Host) -> None:
    text = delivery.script("collect").encode() + b" "
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = base64.b64encode(packer.compress(text) + packer.flush())
    given = packed + b"\n" + base64.b64encode(b"{}") + b"\n"
    assert ended(host, delivery.switches(), given)[2] == 1
    assert host.runs == []
    assert host.shells.complaints == ["the script is not one that is shipped"]


@pytest.mark.parametrize("given", [b"a", b"a\nb\nc", b"\xff\n\xff", b"!!\n!!", b"AAAA\nAAAA"])
def test_what_is_no_script_does_not_run(host: Host, given: bytes) -> None:
    assert ended(host, delivery.switches(), given)[2] == 1
    assert host.runs == []


def test_another_bootstrap_does_not_run(host: Host) -> None:
    encoded = base64.b64encode("Get-Process".encode("utf-16-le")).decode()
    _, errors, code = ended(host, ("-EncodedCommand", encoded), b"")
    assert code == 1
    assert b"bootstrap is not the one that is shipped" in errors


@pytest.mark.parametrize(("direct", "limit"), [(False, CMD_LIMIT), (True, DIRECT_LIMIT)])
def test_a_command_line_is_as_long_as_windows_takes(host: Host, direct: bool, limit: int) -> None:
    fits = ("x" * (limit - len("powershell.exe ")),)
    assert b"too long" not in ended(host, fits, b"", direct=direct)[1]
    assert b"too long" in ended(host, (f"{fits[0]}x",), b"", direct=direct)[1]


def test_no_more_shells_than_the_quota_and_none_that_was_deleted(host: Host) -> None:
    client = protocol(host)
    first = client.open_shell()
    client.open_shell()
    with pytest.raises(WSManFaultError) as refused:
        client.open_shell()
    assert refused.value.wsman_fault_code == QUOTA
    client.close_shell(first, close_session=False)
    with pytest.raises(WSManFaultError) as gone:
        client.run_command(first, "powershell.exe")
    assert gone.value.wsman_fault_code == SHELL_GONE
    assert host.left_open == 1
    assert host.shells.most == 2


def test_an_idle_timeout_that_is_a_number_is_refused(host: Host) -> None:
    with pytest.raises(WSManFaultError) as refused:
        protocol(host).open_shell(idle_timeout=180)
    assert refused.value.wsman_fault_code == SCHEMA


def test_input_without_an_end_never_ends_the_process(host: Host) -> None:
    client = protocol(host)
    shell = client.open_shell()
    command = client.run_command(shell, "powershell.exe", delivery.switches())
    client.send_command_input(shell, command, delivery.standard_input("collect", {}))
    with pytest.raises(WinRMOperationTimeoutError):
        client.get_command_output_raw(shell, command)
    assert host.runs == []
