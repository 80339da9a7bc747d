"""A hypervisor outside the package: installed, found by its entry point, held to the contract."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

from snapaudit import registry
from snapaudit.app.gather import collect
from snapaudit.errors import HypervisorError, UsageError
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import CoverageState, Inventory
from tests.builders import NOW
from tests.cli.running import Ran, snapaudit, write_config
from tests.hypervisors import contract

ROOT = Path(__file__).parents[1]
PLUGIN = ROOT / "examples/plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a build of the plug-in was installed into: no network, no other package."""
    folder = tmp_path_factory.mktemp("plugin")
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"))
    subprocess.run(build, cwd=PLUGIN, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    unpack = (sys.executable, "-m", "zipfile", "-e", str(wheel), str(folder / "site"))
    subprocess.run(unpack, check=True)
    return folder / "site"


@pytest.fixture
def beside(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plug-in in this process, as if it were installed beside the program."""
    monkeypatch.syspath_prepend(str(installed))
    return installed


def board(**changes: object) -> Endpoint:
    fields = {"name": "lab", "kind": "board", "url": (PLUGIN / "board.json").as_uri(), **changes}
    return Endpoint(**fields)  # type: ignore[arg-type]


def collected(endpoint: Endpoint) -> Inventory:
    (only,) = collect((endpoint,), NOW, lambda _: None, lambda _: None)
    return only


def ran(site: Path, cwd: Path, *arguments: str) -> Ran:
    return snapaudit(*arguments, cwd=cwd, PYTHONPATH=f"{ROOT}:{site}")


def test_plug_in_brings_its_kind_by_entry_point_alone(beside: Path) -> None:
    assert "board" in registry.kinds()
    assert registry.hypervisor("board").kind == "board"
    assert distribution("snapaudit-board").read_text("entry_points.txt")
    assert (beside / "snapaudit_board/py.typed").exists()


def test_plug_in_keeps_the_contract_and_drops_nothing_silently(beside: Path) -> None:
    platform = registry.hypervisor("board")
    seen = contract.keeps(lambda: platform.collect(board(), None, NOW, lambda _: None))
    assert [vm.name for vm in seen.virtual_machines] == ["web01", "db01"]
    assert seen.coverage.state is CoverageState.PARTIAL
    assert [gap.subject for gap in seen.gaps] == ["machine a machine without an id"]


def test_program_audits_checks_and_plans_by_the_plug_in(installed: Path, tmp_path: Path) -> None:
    url = (PLUGIN / "board.json").as_uri()
    write_config(tmp_path, f"{{name: lab, kind: board, url: '{url}', zone: basement}}")
    audit = json.loads(ran(installed, tmp_path, "audit", "-f", "json").out)
    assert audit["inventories"][0]["hosts"][0]["cluster"] == "basement"
    assert "ancient-snapshot" in {finding["rule"] for finding in audit["findings"]}
    assert ran(installed, tmp_path, "check").code == 2
    plan = json.loads(ran(installed, tmp_path, "enforce", "-f", "json").out)
    assert plan["actions"] == []
    assert plan["refusals"]


def test_key_that_the_plug_in_does_not_declare_is_an_error(installed: Path, tmp_path: Path) -> None:
    write_config(tmp_path, "{name: lab, kind: board, url: 'file:///x', zoen: basement}")
    answer = ran(installed, tmp_path, "audit")
    assert answer.code == 2
    assert "did you mean 'zone'" in answer.err


def test_unreadable_board_is_missing_with_its_reason(installed: Path, tmp_path: Path) -> None:
    write_config(tmp_path, "{name: lab, kind: board, url: 'file:///nowhere.json'}")
    answer = ran(installed, tmp_path, "check")
    assert answer.code == 3
    assert "lab is missing: /nowhere.json is no board" in answer.out


def _package(folder: Path, name: str, entry: str, code: str) -> None:
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{entry}\n")


def test_plug_in_that_cannot_be_loaded_costs_its_own_endpoints_alone(
    tmp_path: Path,
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    _package(site, "broken", "wreck = broken:WRECK", "raise RuntimeError('no such library')\n")
    write_config(
        tmp_path,
        "{name: t, kind: libvirt, url: 'test:///default'}",
        "{name: w, kind: wreck, url: 'file:///x'}",
    )
    answer = ran(site, tmp_path, "check")
    assert answer.has_no_traceback()
    assert answer.code in (2, 3)
    assert "w is missing: the package broken, which brings the kind 'wreck'" in answer.out
    assert "no such library" in answer.out
    assert "t is missing" not in answer.out


def test_kind_that_two_packages_bring_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _package(tmp_path, "usurper", "libvirt = usurper:IT", "IT = None\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match=r"'libvirt' is brought by .*snapaudit and .*usurper"):
        registry.hypervisor("libvirt")
    assert "libvirt" not in registry.usable()


def test_package_that_raises_is_told_as_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _package(tmp_path, "broken_too", "wreck = broken_too:IT", "import nothing_of_the_kind\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(HypervisorError, match="ModuleNotFoundError"):
        registry.hypervisor("wreck")
