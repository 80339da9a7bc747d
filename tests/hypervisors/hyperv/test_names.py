"""B10: names come through as they are, whatever they hold, and decide nothing."""

from __future__ import annotations

import pytest

from tests.hypervisors.hyperv.hrows import (
    checkpoint_row,
    disk_row,
    drive,
    file_row,
    guid,
    machine_row,
)
from tests.hypervisors.hyperv.seen import read_rows

NAMES = [
    "O'Brien's \"web\"",
    "web[01]",
    "web*?",
    "$(Remove-VM -Name *)",
    "`$env:USERNAME; exit",
    "line one\r\nline two\ttab",
    "\N{ROCKET}\N{FAMILY} \N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "x" * 255,
    "\ud800 half a pair",
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    " ",
    "",
    "K\N{KELVIN SIGN}\N{LATIN SMALL LETTER DOTLESS I}",
]


@pytest.mark.parametrize("name", NAMES)
def test_b10_name_of_machine_checkpoint_and_file_is_told_as_it_is(name: str) -> None:
    folder = "D:\\VMs\\" + name.translate(dict.fromkeys(map(ord, '\\/:*?"<>|\r\n\t'), "_"))
    base, top, lost = f"{folder}.vhdx", f"{folder}_1.avhdx", f"{folder}_lost.avhdx"
    rows = [
        machine_row("web", drive(top), name=name, notes=name, parent_checkpoint=guid("web s1")),
        checkpoint_row("web", "s1", drive(base), name=name, notes=name),
        disk_row(base),
        disk_row(top, base),
        file_row(lost),
    ]
    found = read_rows(*rows)
    (vm,) = found.virtual_machines
    assert (vm.name, vm.notes) == (name, name)
    assert [(s.name, s.description, s.protections) for s in vm.snapshots] == [(name, name, ())]
    assert [layer.path for layer in vm.disks[0].layers] == [base, top]
    assert [stray.path for stray in found.strays] == [lost]


@pytest.mark.parametrize("name", NAMES)
def test_b10_name_that_two_machines_have_mixes_nothing_up(name: str) -> None:
    rows = []
    for number, kind in enumerate(("Standard", "Recovery")):
        base, top = f"D:\\{number}\\web.vhdx", f"D:\\{number}\\web_1.avhdx"
        own = guid(f"vm {number}")
        rows += [
            machine_row(f"vm {number}", drive(top), name=name, parent_checkpoint=guid(f"{own} s")),
            checkpoint_row(f"vm {number}", "s", drive(base), id=guid(f"{own} s"), type=kind),
            disk_row(base),
            disk_row(top, base),
        ]
    found = {vm.id: vm for vm in read_rows(*rows).virtual_machines}
    assert found[guid("vm 0")].snapshots[0].protections == ()
    assert found[guid("vm 1")].snapshots[0].protections != ()
