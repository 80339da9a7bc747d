"""A machine with two snapshots, a plan to delete one of them, and a way to see how that ended."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from snapaudit.enforce.journal import read_journal
from snapaudit.enforce.state import State
from snapaudit.model.journal import Entry, Event
from tests.beds.guests import Guest, Life
from tests.beds.libvirtd import MIB, LibvirtBed
from tests.beds.processes import wait_until
from tests.beds.proxy import Proxy
from tests.cli import forking
from tests.enforce.folders import quick_folder
from tests.enforcement.dying import Moment

MOST_RUNS = 4
_MACHINE = "subject"
_WITHIN = 60
_QEMU_IMG = """\
#!/bin/sh
case "$1" in commit|rebase) echo "$1" >> "{log}";; esac
exec {program} "$@"
"""
_RULE = """\
id: stale-snapshot
title: The snapshot to delete
subject: snapshot
levels:
  warning: {{name: {{is: {target}}}}}
remedy: delete-snapshot
mode: apply
why: A test asks for it.
fix: Delete it.
"""
_CONFIG = """\
version: 1
endpoints:
  - name: kvm
    kind: libvirt
    url: "qemu:///session?socket={socket}"
    lab: true
{options}rules: {{folders: [rules]}}
limits: {{min_age: 0s, min_free: 1MiB, max_actions: 20, max_share: 100%}}
"""
# What changes something, by the names that the journal has for it. The numbers are those of
# libvirt's remote protocol (src/remote/remote_protocol.x).
_CALLS = {
    11: ("redefine",),
    185: ("redefine-snapshot",),
    193: ("delete", "forget"),
    237: ("pivot",),
    290: ("commit",),
}
_IN_ONE = {"delete": "delete/forget", "forget": "delete/forget"}
_READING = {
    *(1, 2, 3, 4, 7, 14, 24, 59, 60, 66, 88, 99, 150, 157, 163, 186, 189, 191, 212),
    *(238, 271, 273, 274, 281, 282, 344, 412, 413),
}


@dataclass(frozen=True)
class Scene:
    """What stands on the stage. The other one of the two snapshots is to stay."""

    life: Life
    external: bool
    target: str
    options: Mapping[str, str] = field(default_factory=dict)
    mib: int = 1

    @property
    def sibling(self) -> str:
        return "s1" if self.target == "s2" else "s2"


@dataclass(frozen=True)
class End:
    """All that a deletion changes, and what it must not change."""

    runs: bool
    snapshots: tuple[tuple[str, str | None, tuple[str, ...]], ...]
    current: str | None
    chain: tuple[str, ...]
    files: frozenset[str]
    contents: str
    sibling: str
    definition: tuple[str, ...]


@dataclass
class Lab:
    """A daemon, what it is asked through, and the qemu-img that it is not asked about."""

    bed: LibvirtBed
    proxy: Proxy
    pool: Path
    socket: Path
    tools: Path

    @property
    def qemu_img_log(self) -> Path:
        return self.tools / "log"


@contextmanager
def lab() -> Iterator[Lab]:
    """From the start of the daemon to its end."""
    with LibvirtBed() as bed:
        socket, tools = bed.daemon.folder / "line.sock", bed.daemon.folder / "tools"
        tools.mkdir()
        script = tools / "qemu-img"
        script.write_text(_QEMU_IMG.format(log=tools / "log", program=shutil.which("qemu-img")))
        script.chmod(0o755)
        with Proxy(bed.daemon.socket, at=socket) as proxy:
            yield Lab(bed, proxy, bed.pool(), socket, tools)


@dataclass
class Stage:
    """One scene in one laboratory, and a folder to run snapaudit in."""

    lab: Lab
    scene: Scene
    folder: Path
    guest: Guest

    # Running ------------------------------------------------------------------------------------

    def plan(self) -> Path:
        """Make the plan: one deletion."""
        self.run("enforce", expect=0)
        made = (self.folder / ".snapaudit/plans").glob("*.json")
        plan = max(made, key=lambda path: path.stat().st_mtime_ns)
        self.lab.proxy.counts.clear()
        self.lab.qemu_img_log.write_text("")
        return plan

    def run(self, *words: str, expect: int | None = None) -> subprocess.CompletedProcess[str]:
        done = self._done("snapaudit", *words)
        assert expect is None or done.returncode == expect, said(done)
        return done

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The same, without waiting for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "snapaudit", *words],
            cwd=self.folder,
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def apply(self, plan: Path) -> subprocess.CompletedProcess[str]:
        return self.run(*applying(plan))

    def dies(self, plan: Path, moment: Moment, at: int) -> bool:
        """Apply and be killed there; whether it came so far."""
        done = self._done("tests.enforcement.dying", moment, str(at), *applying(plan))
        assert done.returncode in (-9, 0), said(done)
        return done.returncode == -9

    @contextmanager
    def merging(self, plan: Path) -> Iterator[subprocess.Popen[str]]:
        """Apply, and go on here once the disk is being copied; ended here if it still runs."""
        started = self.start(*applying(plan))
        try:
            wait_until(self._is_copying, _WITHIN, "the merge is under way")
            yield started
        finally:
            started.kill()
            started.communicate()

    def _is_copying(self) -> bool:
        if self.scene.life is Life.OFF:
            return "commit" in self.lab.qemu_img_log.read_text()
        try:
            return bool(self.guest.domain.blockJobInfo("vda", 0))
        except self.lab.bed.sdk.libvirtError:
            return False

    def restart_daemon(self) -> None:
        """After it was killed. The machine, if it still runs, is the same one."""
        self.lab.bed.restart()
        self.guest.domain = self.lab.bed.rw.lookupByName(_MACHINE)

    def finish(self, plan: Path) -> None:
        """Apply until it is done, without anybody's help."""
        for _ in range(MOST_RUNS):
            done = self.apply(plan)
            if done.returncode == 0 or "was carried out already" in done.stderr:
                return
            assert done.returncode == 5, said(done)
        raise AssertionError(f"not done after {MOST_RUNS} runs: {said(done)}")

    def _done(self, module: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a module to its end, forked: it is done so often that starting would cost most."""
        code, out, err = forking.run(module, words, self.folder, self._environ(), _WITHIN)
        return subprocess.CompletedProcess((module, *words), code, out.decode(), err.decode())

    def _environ(self) -> dict[str, str]:
        path = f"{self.lab.tools}:{os.environ.get('PATH', os.defpath)}"
        root = str(Path(__file__).parents[2])
        return {**os.environ, "PATH": path, "PYTHONPATH": root, "COLUMNS": "200"}

    # Looking ------------------------------------------------------------------------------------

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The journal, verified."""
        return tuple(read_journal(State(self.folder / ".snapaudit")).entries)

    def meant(self) -> Counter[str]:
        """Calls for which the journal of the newest plan holds an intent, as `sent` names them."""
        entries = self.entries
        intents = (one for one in entries if one.event is Event.INTENT)
        ours = (str(e.detail["call"]) for e in intents if e.plan_id == entries[-1].plan_id)
        return Counter(_IN_ONE.get(call, call) for call in ours if call != "unlink")

    def sent(self) -> Counter[str]:
        """Calls that reached the daemon, and those that were made of qemu-img."""
        seen = self.lab.proxy.counts.procedures()
        assert set(seen) - _READING - set(_CALLS) == set()
        found = Counter({"/".join(_CALLS[key]): seen[key] for key in _CALLS if key in seen})
        names = {"commit": "merge-offline", "rebase": "rebase"}
        return found + Counter(names[w] for w in self.lab.qemu_img_log.read_text().split())

    def end(self) -> End:
        """How everything is now; then the machine is stopped and its images are checked."""
        domain, bed = self.guest.domain, self.lab.bed
        runs = bool(domain.isActive())
        taken = sorted(domain.listAllSnapshots(), key=lambda shot: str(shot.getName()))
        chain = self.chain()
        found = End(
            runs=runs,
            snapshots=tuple(_snapshot(shot) for shot in taken),
            current=next((s.getName() for s in taken if s.isCurrent()), None),
            chain=tuple(path.name for path in chain),
            files=frozenset(path.name for path in self.lab.pool.iterdir()),
            contents=self.contents(chain[-1]),
            sibling=self._frozen(chain),
            definition=_files(domain.XMLDesc(bed.sdk.VIR_DOMAIN_XML_INACTIVE)),
        )
        if runs:
            domain.destroy()
        for path in chain:
            bed.run_qemu_img("check", "-q", str(path))
        domain.create()
        return found

    def chain(self) -> list[Path]:
        """The images of the disk, base first, as they themselves name each other."""
        return self.chain_of(self.guest.chain()[-1])

    def chain_of(self, top: Path) -> list[Path]:
        """The same from the disk's own image, for which no daemon is needed."""
        told = self.lab.bed.run_qemu_img("info", "-U", "--backing-chain", "--output=json", str(top))
        return [Path(image["filename"]) for image in json.loads(told)][::-1]

    def contents(self, image: Path, *more: str) -> str:
        raw = self.lab.bed.pools / "contents.raw"
        self.lab.bed.run_qemu_img("convert", "-U", *more, "-O", "raw", str(image), str(raw))
        digest = sha256(raw.read_bytes()).hexdigest()
        raw.unlink()
        return digest

    def _frozen(self, chain: list[Path]) -> str:
        """What the snapshot that stays keeps."""
        name = self.scene.sibling
        if not self.scene.external:
            return self.contents(chain[-1], "-l", f"snapshot.name={name}")
        (at,) = (number for number, path in enumerate(chain) if path.suffix == f".{name}")
        return self.contents(chain[at - 1])


@contextmanager
def staged(lab: Lab, scene: Scene) -> Iterator[Stage]:
    """The scene; gone at the end with all that is left of it."""
    bed, pool = lab.bed, lab.pool
    image = bed.create_image(pool / f"{_MACHINE}.qcow2", size_bytes=(scene.mib + 15) * MIB)
    bed.write_offline(image, 0, 2 * MIB)
    guest = bed.define_vm(_MACHINE, [image], life=scene.life)
    stage = None
    try:
        with quick_folder() as folder:
            stage = Stage(lab, scene, folder, guest)
            for number, name in enumerate(("s1", "s2"), 2):
                _take(stage, name)
                _write(stage, number, scene.mib, number)
            _configure(stage)
            yield stage
    finally:
        _strike(lab)


def _take(stage: Stage, name: str) -> None:
    flags = stage.lab.bed.sdk.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY if stage.scene.external else 0
    xml = f"<domainsnapshot><name>{name}</name></domainsnapshot>"
    stage.guest.domain.snapshotCreateXML(xml, flags)


def _write(stage: Stage, offset_mib: int, mib: int, pattern: int) -> None:
    if stage.scene.life is Life.RUNNING:
        stage.guest.write("vda", offset_mib * MIB, mib * MIB, pattern)
    else:
        top = stage.guest.chain()[-1]
        stage.lab.bed.write_offline(top, offset_mib * MIB, mib * MIB, pattern)


def _configure(stage: Stage) -> None:
    options = "".join(f"    {key}: {value}\n" for key, value in stage.scene.options.items())
    rules = stage.folder / "rules"
    rules.mkdir(parents=True)
    (rules / "stale-snapshot.yaml").write_text(_RULE.format(target=stage.scene.target))
    config = _CONFIG.format(socket=stage.lab.socket, options=options)
    (stage.folder / "snapaudit.yaml").write_text(config)


def _strike(lab: Lab) -> None:
    domain = lab.bed.rw.lookupByName(_MACHINE)
    if domain.isActive():
        domain.destroy()
    domain.undefineFlags(lab.bed.sdk.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    for path in lab.pool.iterdir():
        path.unlink()


def applying(plan: Path) -> tuple[str, ...]:
    return ("enforce", "--apply", "--yes", "--plan", str(plan))


def said(done: subprocess.CompletedProcess[str]) -> str:
    return f"ended with {done.returncode}\n{done.stdout}\n{done.stderr}"


def _snapshot(shot: Any) -> tuple[str, str | None, tuple[str, ...]]:
    text = shot.getXMLDesc()
    return shot.getName(), ET.XML(text).findtext("parent/name"), _files(text)


def _files(text: str) -> tuple[str, ...]:
    """The images that a definition names, in its order."""
    return tuple(Path(node.get("file", "")).name for node in ET.XML(text).iter("source"))
