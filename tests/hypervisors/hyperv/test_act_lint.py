"""TST-16 for Hyper-V: what the source of the platform must not name, read off its syntax trees."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.beds.wsman.powershell import SCRIPTS
from tests.faults.test_lint import calls, names_in, texts, trees

HERE = "hypervisors/hyperv"
DECIDING = ("act", "calls", "ways", "sending", "watching", "vigil")
BANNED = re.compile(
    r"IncludeAllChild|Restore-VMSnapshot|Checkpoint-VM|Merge-VHD|Convert-VHD|Resize-VHD|Set-VHD"
    r"|Optimize-VHD|Dismount-VHD|Mount-VHD|Remove-Item|Move-Item|\[IO\.File\]::(?!GetAttributes)"
    r"|Remove-VM\b(?!Snapshot)|Stop-VM|Start-VM|Save-VM|Suspend-VM|Move-VM|Set-VM|Stop-Process"
    r"|RemoveSnapshotTree|DestroySnapshotTree|Invoke-Expression"
)


def sources() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in SCRIPTS.glob("*.ps1")}


def code_of(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def test_tst_16_inv_04_no_script_names_what_takes_more_merges_or_touches_files() -> None:
    assert len(sources()) >= 6
    found = {name: BANNED.findall(code_of(text)) for name, text in sources().items()}
    assert [name for name, words in found.items() if words] == []


def test_tst_16_inv_04_nothing_of_ours_in_python_names_it_either() -> None:
    bad = [
        f"{name}: {word}"
        for name, tree in trees().items()
        if name.startswith(HERE)
        for word in (*names_in(tree), *texts(tree))
        if BANNED.search(word) and not word.startswith(("nothing", "Hyper-V", "automatic"))
    ]
    assert bad == []


def test_inv_12_the_remover_is_run_where_it_is_sent_and_nowhere_else() -> None:
    runs = [
        (name, ast.unparse(node.args[0]))
        for name, node in calls(HERE)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "run" and len(node.args) == 2
    ]
    assert sorted(runs) == [
        (f"{HERE}/collect.py", "'collect'"),
        (f"{HERE}/examine.py", "'collect'"),
        (f"{HERE}/sending.py", "'remove'"),
        (f"{HERE}/watching.py", "'watch'"),
    ]


@pytest.mark.parametrize("module", DECIDING)
def test_tst_16_grd_24_nothing_that_acts_sends_in_a_loop(module: str) -> None:
    loops = [
        n for n in ast.walk(trees()[f"{HERE}/{module}.py"]) if isinstance(n, ast.For | ast.While)
    ]
    bad = [
        ast.unparse(node.func)
        for loop in loops
        for node in ast.walk(loop)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"send", "run", "look"}
    ]
    assert bad == []


def test_what_decides_what_is_sent_knows_no_client_library() -> None:
    for module in DECIDING:
        words = set(names_in(trees()[f"{HERE}/{module}.py"]))
        assert words.isdisjoint({"winrm", "pypsrp", "requests"}), module


def test_the_lint_can_find_something(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "x.ps1").write_text("Merge-VHD -Path $a\n# Set-VM\n", "utf-8")
    monkeypatch.setattr("tests.hypervisors.hyperv.test_act_lint.SCRIPTS", tmp_path)
    assert [BANNED.findall(code_of(text)) for text in sources().values()] == [["Merge-VHD"]]
