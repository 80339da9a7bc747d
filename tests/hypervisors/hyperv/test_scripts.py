"""The scripts by a real grammar: what they may call, and that only the remover can remove."""

from __future__ import annotations

import re

import pytest

from snapaudit.hypervisors.hyperv import delivery
from tests.beds.wsman.powershell import CMD_LIMIT
from tests.hypervisors.hyperv.grammar import (
    SCRIPTS,
    commands,
    complaints,
    functions,
    methods,
    nodes,
    source,
)

FILES = sorted(path.stem for path in SCRIPTS.glob("*.ps1"))
READERS = ("collect", "watch")
REMOVAL = "Hyper-V\\Remove-VMSnapshot"

# Every command that may be called, with the parameters it may be given. None of them changes
# anything on the host, and none takes a name, a pattern or another computer.
READING: dict[str, set[str]] = {
    "Hyper-V\\Get-VM": {"-Id", "-ErrorAction", "-ErrorVariable"},
    "Hyper-V\\Get-VMSnapshot": {"-VM", "-ErrorAction", "-ErrorVariable"},
    "Hyper-V\\Get-VHD": {"-Path"},
    "FailoverClusters\\Get-Cluster": set(),
    "FailoverClusters\\Get-ClusterNode": set(),
    "FailoverClusters\\Get-ClusterSharedVolume": set(),
    "Get-CimInstance": {"-ClassName", "-Filter"},
    "Get-WinEvent": {"-FilterHashtable", "-ErrorAction", "-ErrorVariable"},
    "Get-Module": {"-Name"},
    "Import-Module": {"-Name", "-DisableNameChecking"},
    "ConvertTo-Json": {"-InputObject", "-Compress", "-Depth"},
    "ConvertFrom-Json": {"-InputObject"},
    "New-Object": {"-TypeName", "-ArgumentList"},
    "Set-StrictMode": {"-Version"},
    "ForEach-Object": set(),
    "Where-Object": set(),
    "Sort-Object": {"-Unique"},
}
METHODS = {
    "Add", "Contains", "ContainsKey", "Enqueue", "Dequeue", "Flush", "GetBaseException", "GetFiles",
    "ToLocalTime", "ToLowerInvariant", "ToString", "ToUniversalTime", "ToUpperInvariant", "TrimEnd",
    "WriteLine", "GetString", "ReadToEnd",
    "[Console]::OpenStandardOutput", "[Convert]::FromBase64String", "[IO.File]::GetAttributes",
    "[IO.Path]::GetDirectoryName", "[Security.Principal.WindowsIdentity]::GetCurrent",
    "[datetime]::Parse", "[regex]::Replace",
}  # fmt: skip
COMPILING = "[ScriptBlock]::Create"
OBJECTS = {
    "IO.StreamWriter", "IO.StreamReader", "IO.DirectoryInfo", "IO.FileInfo",
    "IO.Compression.DeflateStream", "'System.Collections.Generic.HashSet[string]'",
    "'System.Collections.Generic.Queue[string]'",
}  # fmt: skip


def text_of(name: str) -> str:
    return (SCRIPTS / name).read_text("utf-8")


@pytest.mark.parametrize("name", [*FILES, "Snapaudit.psm1"])
def test_every_script_is_windows_powershell_and_ascii(name: str) -> None:
    text = text_of(name if "." in name else f"{name}.ps1")
    assert complaints(text) == []
    assert text.isascii()
    assert all(len(line) <= 120 for line in text.splitlines())


@pytest.mark.parametrize("name", delivery.PARTS)
def test_what_is_delivered_is_one_script(name: str) -> None:
    text = delivery.script(name)
    assert complaints(text) == []
    blocks = [source(node) for node in nodes(text) if node.type == "param_block"]
    assert blocks[0] == "param([string] $Argument, [switch] $Pipeline)"
    assert sum("$Argument" in block for block in blocks) == 1
    first = [line for line in text.splitlines() if line and not line.startswith("#")][1:5]
    assert first == [
        "Set-StrictMode -Version 2.0",
        "$ErrorActionPreference = 'Stop'",
        "$ProgressPreference = 'SilentlyContinue'",
        "$WarningPreference = 'SilentlyContinue'",
    ]
    assert text.rstrip().endswith("Write-End")


@pytest.mark.parametrize(
    "snippet",
    [
        "$a ? 1 : 2", "$a ?? 3", "$a ??= 1", "$a?.b", "a && b", "a || b", "class A {}",
        "enum A { b }", "try { a }", "a -b 1 -B 2", "if ($a) {", "function {", "'a",
    ],
)  # fmt: skip
def test_the_gate_notices_what_windows_powershell_does_not_take(snippet: str) -> None:
    assert complaints(snippet) != []


@pytest.mark.parametrize("name", delivery.PARTS)
def test_grd_37_a_script_calls_only_what_is_on_the_list(name: str) -> None:
    text = delivery.script(name)
    own = functions(text)
    for command in commands(text):
        if command.name in own or (command.name == REMOVAL and name == "remove"):
            continue
        assert command.name in READING, command.text
        assert set(command.parameters) <= READING[command.name], command.text


@pytest.mark.parametrize("name", delivery.PARTS)
def test_grd_37_a_script_calls_no_method_that_could_change_anything(name: str) -> None:
    assert methods(delivery.script(name)) <= METHODS
    for command in commands(delivery.script(name)):
        if command.name == "New-Object":
            kind = re.split(r"[\s(]", command.text.replace("-TypeName ", ""))[1]
            assert kind in OBJECTS, command.text


def test_only_the_bootstrap_compiles_text_and_it_calls_nothing_else() -> None:
    assert methods(text_of("bootstrap.ps1")) <= METHODS | {COMPILING}
    assert {command.name for command in commands(text_of("bootstrap.ps1"))} <= {"New-Object", ""}
    for name in delivery.PARTS:
        assert "ScriptBlock" not in delivery.script(name)


@pytest.mark.parametrize("name", [name for name in FILES if name != "remove"])
def test_inv_12_only_the_remover_names_the_command_that_removes(name: str) -> None:
    text = text_of(f"{name}.ps1")
    assert re.search(r"\b(Remove|Merge|Restore|Stop|Start|Set|Move|Rename|Export)-VM", text) is None
    assert "Remove" not in text


def test_inv_04_the_remover_removes_one_checkpoint_object_without_what_stands_on_it() -> None:
    text = text_of("remove.ps1")
    removing = [command for command in commands(text) if "Remove" in command.name]
    assert [command.text for command in removing] == [
        f"{REMOVAL} -VMSnapshot $found[0] -Confirm:$false"
    ]
    assert "IncludeAllChild" not in text


def test_a_dry_run_stops_right_before_the_removal_is_tried() -> None:
    lines = [line.strip() for line in text_of("remove.ps1").splitlines()]
    [at] = [number for number, line in enumerate(lines) if REMOVAL in line]
    assert lines[at - 1] == "$state.tried = $true"
    assert lines[at - 2].startswith("if ($dry) {")
    assert lines[at - 2].endswith("return }")
    assert "$dry = (Get-Flag $wish 'dry') -ne $false" in lines


def test_inv_16_an_error_of_the_removal_itself_is_told_apart_from_one_before_it() -> None:
    text = text_of("remove.ps1")
    assert "$where = if ($state.tried) { 'removal' } else { 'remove' }" in text
    assert text.count("$state.tried = $true") == 1
    assert text.count("$state.tried = $false\n    try { Resolve-Target $target } catch {") == 1


def test_grd_32_names_never_reach_a_command() -> None:
    for name in delivery.PARTS:
        for command in commands(delivery.script(name)):
            if "\\" in command.name:
                assert not {"-Name", "-VMName", "-ComputerName", "-SnapshotName"} & set(
                    command.parameters
                )


def test_every_function_is_used_and_defined_once() -> None:
    for name in delivery.PARTS:
        text = delivery.script(name)
        defined = re.findall(r"^function ([\w-]+)", text, re.MULTILINE)
        assert len(defined) == len(set(defined))
    whole = "\n".join(text_of(f"{name}.ps1") for name in FILES)
    called = {command.name for command in commands(whole)}
    assert functions(whole) <= called


def test_the_bootstrap_and_its_switches_fit_into_what_cmd_takes() -> None:
    assert len(" ".join((delivery.PROGRAM, *delivery.switches()))) < CMD_LIMIT / 4


def test_the_module_for_jea_runs_the_same_parts() -> None:
    text = text_of("Snapaudit.psm1")
    for name, parts in delivery.PARTS.items():
        named = ", ".join(f"'{part}'" for part in parts)
        function = f"function Invoke-Snapaudit{name.capitalize()}([string] $Argument) {{\n"
        assert f"{function}    Start-Part -Names {named} -Argument $Argument\n}}" in text
    exported = {f"Invoke-Snapaudit{name.capitalize()}" for name in delivery.PARTS}
    assert exported == set(re.findall(r"^function (Invoke-\w+)", text, re.MULTILINE))
