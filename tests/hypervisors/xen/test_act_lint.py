"""What must not stand in the source: read off its syntax trees."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import snapaudit.hypervisors.xen as package

FOLDER = Path(package.__file__).parent
ACTING = {"act.py", "acting.py", "calls.py", "sending.py", "watching.py", "ways.py"}
METHOD = re.compile(r"^(Async\.)?(VM|VDI|VBD|SR|host|pool|task|session|VMSS)\.\w+$")
MUTATING = re.compile(
    r"revert|forget|data_destroy|snapshot$|checkpoint|scan|call_plugin|set_|add_to|remove_from"
    r"|clean_|start|suspend|copy|clone|migrate|cancel|coalesce|unplug|create"
)


def texts(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def methods() -> dict[str, set[str]]:
    """Every method of the server that is named anywhere, with the files that name it."""
    found: dict[str, set[str]] = {}
    for file in FOLDER.glob("*.py"):
        for text in texts(file):
            if METHOD.match(text):
                found.setdefault(text, set()).add(file.name)
    return found


def test_inv_04_the_calls_that_change_something_are_named_in_one_place() -> None:
    named = {name: files for name, files in methods().items() if re.search("destroy|shut", name)}
    assert named == {
        "Async.VM.hard_shutdown": {"acting.py"},
        "Async.VM.destroy": {"acting.py"},
        "Async.VDI.destroy": {"acting.py"},
        "task.destroy": {"acting.py"},
        # The rights that are asked about before anything is sent.
        "VM.destroy": {"rights.py"},
        "VDI.destroy": {"rights.py"},
        "VM.hard_shutdown": {"rights.py"},
    }


def test_inv_04_nothing_else_that_changes_anything_is_named_at_all() -> None:
    assert len(methods()) > 10
    assert [name for name in methods() if MUTATING.search(name.rpartition(".")[2])] == []


def test_inv_12_a_reading_never_loads_what_can_act() -> None:
    bad = []
    for file in FOLDER.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        loaded = {n.module or "" for n in tree.body if isinstance(n, ast.ImportFrom)}
        loaded |= {
            f"{node.module}.{alias.name}"
            for node in tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        acts = {name.rpartition(".")[2] + ".py" for name in loaded if "xen" in name} & ACTING
        if acts and file.name not in ACTING:
            bad.append((file.name, acts))
    assert bad == []


def test_inv_12_a_collection_loads_nothing_that_can_act() -> None:
    program = (
        "import sys; from snapaudit.hypervisors.xen import XEN; XEN.abilities; XEN.options; "
        "import snapaudit.hypervisors.xen.reading; print([n for n in sys.modules if "
        "n == 'XenAPI' or n.endswith(('xen.act', 'xen.acting', 'xen.sending', 'xen.watching'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
