"""A new user's way, with what the README shows: from a built wheel to a snapshot that is gone.

The program is the wheel's own copy, with the rules, words and templates that are in it, in a folder
with nothing else, and the host is a real libvirtd.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.beds.libvirtd import LibvirtBed
from tests.cli.running import Ran, snapaudit

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
Run = Callable[..., Ran]
pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel: what an installation puts beside its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"))
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = (folder / "dist").glob("*.whl")
    subprocess.run((sys.executable, "-m", "zipfile", "-e", built, folder / "site"), check=True)
    return folder / "site"


@pytest.fixture
def host() -> Iterator[LibvirtBed]:
    """A host with one machine that is off and has two snapshots, and one without any."""
    with LibvirtBed() as bed:
        pool = bed.pool()
        for name, snapshots in (("web01", ("before-update", "after-update")), ("db01", ())):
            image = bed.create_image(pool / f"{name}.qcow2")
            guest = bed.define_vm(name, [image])
            for number, snapshot in enumerate(snapshots, start=1):
                named = f"<name>{snapshot}</name><description>kernel, CHG-1</description>"
                guest.domain.snapshotCreateXML(f"<domainsnapshot>{named}</domainsnapshot>")
                bed.write_offline(image, number * 2**20, 2**20, number)
        bed.rw.storagePoolLookupByName("images").refresh()
        yield bed


def own_rule() -> str:
    """The README's example of a rule, so that it offers what is a second old, and at once."""
    (shown,) = re.findall(r"```yaml\n(id: .*?)```", README, re.DOTALL)
    changed = shown.replace("{over: 3d}", "{over: 0s}").replace("mode: mark ", "mode: apply ")
    return "\n".join(line for line in changed.splitlines() if not line.startswith("grace:"))


def test_readme_leads_from_a_wheel_to_a_snapshot_that_is_gone(
    wheel: Path, host: LibvirtBed, tmp_path: Path
) -> None:
    def run(*words: str) -> Ran:
        ran = snapaudit(*words, cwd=tmp_path, PYTHONPATH=str(wheel))
        assert ran.has_no_traceback(), ran.err
        return ran

    _set_up(run, host, tmp_path)
    _look(run)
    _offer(run, tmp_path)
    _clean_up(run, tmp_path)
    left = host.rw.lookupByName("web01").snapshotListNames()
    assert left == ["before-update"]


def _set_up(run: Run, host: LibvirtBed, folder: Path) -> None:
    assert run("audit").err.startswith("snapaudit: no endpoint is configured: write a snapaudit.y")
    assert run("init", "--kind", "libvirt", "--url", host.uri, "--name", "kvm1").code == 0
    config = folder / "snapaudit.yaml"
    written = config.read_text(encoding="utf-8")
    lab = re.sub(r"(    url: .*)", r"\1\n    lab: true", written, count=1)
    rest = "\nlimits: {min_age: 0s}\nrules: {folders: [rules]}\n"
    config.write_text(lab + rest, encoding="utf-8")
    (folder / "rules").mkdir()
    doctor = run("doctor")
    assert (doctor.code, doctor.out.split()[:3]) == (0, ["kvm1", "(libvirt)", "well"])


def _look(run: Run) -> None:
    audit = run(
        "audit", "-f", "table", "-o", "html=reports/today.html", "-o", "xlsx=reports/t.xlsx"
    )
    assert audit.code == 0
    assert "2 virtual machines, 2 snapshots" in audit.out
    assert run("check").code == 0
    assert "keep it" in run("explain", "web01/after-update").out
    assert run("enforce").out.startswith("NOTHING TO DO")


def _offer(run: Run, folder: Path) -> None:
    rule = folder / "rules/stale-snapshot.yaml"
    rule.write_text(own_rule(), encoding="utf-8")
    assert run("rules", "validate").code == 0
    assert run("check").code == 1
    assert run("hold", "add", "web01", "--owner", "ada", "--reason", "legal case").code == 0
    assert "hold" in run("explain", "web01/after-update").out
    assert "a guard forbids" in run("enforce").out
    held = re.search(r"\bh[0-9a-f]{8}\b", run("hold", "list").out)
    assert held is not None
    assert run("hold", "remove", held[0]).code == 0


def _clean_up(run: Run, folder: Path) -> None:
    assert run("enforce", "--worst", "1").out.startswith("READY  would delete 1 snapshot")
    plan = max((folder / ".snapaudit/plans").glob("*.json"), key=lambda path: path.stat().st_mtime)
    asked = run("enforce", "--apply", "--plan", str(plan))
    assert (asked.code, "add --yes" in asked.err) == (2, True)
    assert run("enforce", "--apply", "--plan", str(plan), "--yes").out.startswith("DONE  1 of 1")
    assert run("enforce", "--apply", "--plan", str(plan), "--yes").code == 4
    assert "the journal is whole" in run("journal", "verify").out
    assert run("audit", "--quiet").code == 0
    assert "web01 / after-update" in run("diff").out
    assert "images" in run("forecast").out
    assert run("report", "--publish").code == 0
    assert (folder / "reports/index.html").exists()
