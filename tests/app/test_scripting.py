"""What programs of others may rely on, used as they would."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pytest

from snapaudit import app, ports
from snapaudit.app import scripting
from snapaudit.codec.documents import inventories_document
from snapaudit.errors import InputError, UsageError
from snapaudit.model.check import Status
from snapaudit.model.inventory import Coverage, CoverageState
from snapaudit.model.plan import Decision
from tests.builders import NOW, inventory, snapshot, vm
from tests.cli.running import environment, write_config

ROOT = Path(__file__).parents[2]
SEEN = inventory(vm("web01", snapshot("before-upgrade", age="9d")))


def test_everything_exported_is_there_and_typed() -> None:
    for name in app.__all__:
        function = getattr(app, name)
        assert function is getattr(scripting, name)
        assert "return" in get_type_hints(function), name
    with pytest.raises(AttributeError):
        _ = app.apply


def test_command_line_does_not_import_what_it_does_not_use() -> None:
    code = "import sys, snapaudit.app; print('snapaudit.app.scripting' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_saved_inventory_becomes_audit_verdict_plan_and_documents(
    tmp_path: Path,
) -> None:
    path = tmp_path / "seen.json"
    path.write_bytes(inventories_document([SEEN], compress=False))
    (tmp_path / "snapaudit.yaml").write_text("version: 1\n", encoding="utf-8")
    settings = app.load_settings(tmp_path / "snapaudit.yaml")
    policy = app.load_policy(settings)
    audit = app.judge(app.load_inventories(path), policy, now=NOW)
    assert app.verdict_of(audit).status is Status.CRITICAL
    plan = app.plan_for(audit, policy, settings, now=NOW, author="test")
    assert all(action.decision in Decision for action in plan.actions)
    assert len(plan.actions) + len(plan.refusals) + len(plan.kept) == 1
    assert app.render(audit, "html").startswith(b"<!doctype html>")
    assert b"snapaudit/plan@1" in app.render(plan)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["seen.json", "snapaudit.yaml"]


def test_what_was_not_seen_is_never_fine_in_a_script_either() -> None:
    lost = replace(SEEN, coverage=Coverage(state=CoverageState.MISSING, reason="gone"))
    policy = app.load_policy(app.load_settings(folder=Path("/nonexistent")))
    assert app.verdict_of(app.judge([lost], policy, now=NOW)).status is not Status.OK
    assert app.verdict_of(app.judge([], policy, now=NOW)).status is Status.UNKNOWN


def test_mistakes_are_answered_as_on_the_command_line(tmp_path: Path) -> None:
    write_config(tmp_path, "{name: t, kind: libvirt, url: 'test:///default'}")
    settings = app.load_settings(tmp_path / "snapaudit.yaml")
    with pytest.raises(UsageError, match="did you mean 't'"):
        app.collect(settings, now=NOW, endpoints=["tt"])
    with pytest.raises(UsageError, match="did you mean 'html'"):
        app.render(app.judge([SEEN], app.load_policy(settings), now=NOW), "htm")
    with pytest.raises(InputError, match="does not exist"):
        app.load_settings(tmp_path / "other.yaml")


@pytest.mark.parametrize("source", ["--demo", "--inventory", "config"])
def test_example_script_audits_from_python(tmp_path: Path, source: str) -> None:
    write_config(tmp_path, "{name: t, kind: libvirt, url: 'test:///default'}")
    (tmp_path / "seen.json").write_bytes(inventories_document([SEEN], compress=False))
    words = {"--inventory": ("--inventory", "seen.json"), "config": ("snapaudit.yaml",)}
    done = subprocess.run(
        [
            sys.executable,
            str(ROOT / "examples/audit_from_python.py"),
            *words.get(source, (source,)),
        ],
        cwd=tmp_path,
        env=environment(tmp_path, {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (2, 3), done.stderr
    assert "a plan would delete" in done.stdout
    assert (tmp_path / "audit.html").exists()


def test_page_tells_every_function_with_its_arguments_and_every_record_it_names() -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    steps = page.split("## The steps")[1].split("## ")[0]
    for name in app.__all__:
        (told,) = re.findall(rf"^\| `{name}\((.*?)\)` \|", steps, re.MULTILINE)
        assert list(inspect.signature(getattr(app, name)).parameters) == [
            word.split("=")[0].lstrip("*") for word in told.split(", ") if word != "*"
        ], name
    for module, names in re.findall(
        r"^\| `(snapaudit\.model\.\w+)` \| (.+) \|$", page, re.MULTILINE
    ):
        for name in re.findall(r"`(\w+)`", names):
            assert hasattr(import_module(module), name), name
    for protocol in (ports.Hypervisor, ports.Examinable, ports.Preloadable):
        assert f"snapaudit.ports.{protocol.__name__}" in page
    members = [name for name in vars(ports.Hypervisor) if not name.startswith("_")]
    assert [name for name in members if f"| `{name}" not in page] == []


def test_program_in_the_page_runs_as_it_stands_there(tmp_path: Path) -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    write_config(tmp_path, "{name: t, kind: libvirt, url: 'test:///default'}")
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=environment(tmp_path, {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, "")
    assert (tmp_path / "audit.html").exists()
