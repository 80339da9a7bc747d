"""The program as a user of one vCenter runs it: a simulator, the line to it, and a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.beds.processes import wait_until
from tests.beds.simulator import Simulator
from tests.beds.soapline import SoapLine
from tests.builders import GIB
from tests.cli.running import Ran, ended, snapaudit

REMOVE, CONSOLIDATE = "RemoveSnapshot_Task", "ConsolidateVMDisks_Task"
DAY = 86400
MOST_RUNS = 4
_WITHIN = 60.0
_ROOT = Path(__file__).parents[3]
_CONFIG = """\
version: 1
endpoints:
  - name: vc1
    kind: vsphere
    url: "{url}"
    username: {username}
    password: {{env: VC_PASSWORD}}
    tls: {tls}
{more}limits: {{min_free: 1MiB, max_actions: 20, max_share: 100%}}
"""
Document = dict[str, Any]


@dataclass
class Lab:
    """One vCenter that is reached through a line which counts and disturbs."""

    simulator: Simulator
    line: SoapLine
    folder: Path
    moids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.configure()

    def configure(self, *, tls: str = "", more: str = "") -> None:
        """Write the configuration; ``more``: further lines of the endpoint."""
        text = _CONFIG.format(
            url=self.line.url,
            username=self.simulator.username,
            tls=tls or f"{{ca_file: {self.line.ca_file}}}",
            more=more,
        )
        (self.folder / "snapaudit.yaml").write_text(text, encoding="utf-8")

    # The vCenter --------------------------------------------------------------------------------

    def machine(self, name: str, *snapshots: str, **spec: object) -> str:
        """A machine with a line of old snapshots; its id."""
        moid: str = self.simulator.tell("machine", name=name, **spec)["moid"]
        self.moids[name] = moid
        for number, snapshot in enumerate(snapshots):
            self.take(name, snapshot, age=(40 - number) * DAY)
        return moid

    def take(self, name: str, snapshot: str, **how: object) -> str:
        how = {"written": GIB, **how}
        moid: str = self.simulator.tell("snapshot", vm=name, name=snapshot, **how)["moid"]
        self.moids[f"{name}/{snapshot}"] = moid
        return moid

    def look(self, name: str) -> Document:
        found: Document = self.simulator.tell("look", vm=name)
        return found

    def snapshots(self, name: str) -> list[str]:
        return [one["name"] for one in self.look(name)["snapshots"]]

    def chain(self, name: str) -> list[str]:
        """The files of the machine's first disk, base first."""
        return [file for file, _ in self.look(name)["chains"]["2000"]]

    def damage(self) -> list[str]:
        """What merges did to files that other machines stand on."""
        found: list[str] = self.simulator.tell("damage")["damage"]
        return found

    # The wire -----------------------------------------------------------------------------------

    def changes(self) -> list[tuple[str, str]]:
        """Every call that may have changed something, with the id that it was for."""
        return [(call.method, call.this) for call in self.line.counts.changes]

    def removal(self, name: str) -> tuple[str, str]:
        """The call that removes ``machine/snapshot``."""
        return REMOVE, self.moids[name]

    def lead_to(self, other: Simulator) -> None:
        """Let the same address lead to another vCenter, for connections to come."""
        self.line.lead_to(other)

    # The program --------------------------------------------------------------------------------

    def run(self, *words: str) -> Ran:
        secret = {"VC_PASSWORD": self.simulator.password}
        return snapaudit(*words, cwd=self.folder, COLUMNS="160", **secret)

    def plan(self, *words: str) -> Path:
        """Make a plan and return its file."""
        before = set(self.plans())
        ran = self.run("enforce", "-q", *words)
        assert ran.code == 0, ran.out + ran.err
        (made,) = set(self.plans()) - before
        return made

    def plans(self) -> list[Path]:
        return sorted((self.folder / ".snapaudit/plans").glob("*.json"))

    def keep_only(self, plan: Path, *snapshots: str) -> None:
        """Decide that nothing but these ``machine/snapshot`` are deleted, and sign it off."""
        document = json.loads(plan.read_text(encoding="utf-8"))
        for action in document["actions"]:
            name = f"{action['vm_name']}/{action['snapshot_name']}"
            action["decision"] = "apply" if name in snapshots else "skip"
        plan.write_text(json.dumps(document, indent=2), encoding="utf-8")
        assert self.run("enforce", "--plan", str(plan), "--reseal").code == 0

    def apply(self, plan: Path) -> Ran:
        return self.run(*applying(plan))

    def finish(self, plan: Path) -> None:
        """Apply until it is done, without anybody's help."""
        for _ in range(MOST_RUNS):
            ran = self.apply(plan)
            if ran.code == 0 or "was carried out already" in ran.err:
                return
            assert ran.code == 5, ran.out + ran.err
        raise AssertionError(f"not done after {MOST_RUNS} runs: {ran.out}{ran.err}")

    def dies(self, plan: Path, moment: str, at: int) -> bool:
        """Apply and be killed at that entry of the journal; whether it came so far."""
        words = ("tests.enforcement.dying", moment, str(at), *applying(plan))
        with self._started(*words) as process:
            ran = ended(process)
        assert ran.code in (-9, 0), ran.out + ran.err
        return ran.code == -9

    @contextmanager
    def under_way(self, plan: Path) -> Iterator[subprocess.Popen[str]]:
        """Apply, and go on here once a task runs, which then has no end until `let_go`."""
        self.simulator.tell("taking", seconds=3)
        with self._started("snapaudit", *applying(plan)) as process:
            self.until(lambda: bool(self.changes()), process, "something is sent")
            self.simulator.tell("hold", on=True)
            self.until(lambda: "submitted" in self.events(), process, "it is written down")
            yield process
        self.let_go()

    @contextmanager
    def going_on(self, plan: Path) -> Iterator[subprocess.Popen[str]]:
        """Apply, and go on here at once."""
        with self._started("snapaudit", *applying(plan)) as process:
            yield process

    def until_quiet(self, by: subprocess.Popen[str]) -> None:
        """Wait until a process has asked the server once more, or has ended."""
        arrived = self.line.counts.arrived
        enough = sum(arrived.values()) + 2
        wait_until(
            lambda: sum(arrived.values()) >= enough or by.poll() is not None,
            _WITHIN,
            "it has looked again",
        )

    def let_go(self) -> None:
        """Let tasks end, and take no time."""
        self.simulator.tell("taking", seconds=0)
        self.simulator.tell("hold", on=False)

    def until(self, holds: Callable[[], bool], by: subprocess.Popen[str], what: str) -> None:
        """Wait for what a process is to bring about, as long as it runs."""
        wait_until(lambda: holds() or by.poll() is not None, _WITHIN, what)
        assert by.poll() is None, by.communicate()

    @contextmanager
    def _started(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "COLUMNS": "160",
                "PYTHONPATH": str(_ROOT),
                "VC_PASSWORD": self.simulator.password,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def journal(self) -> list[Document]:
        file = self.folder / ".snapaudit/journal.jsonl"
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def events(self) -> list[str]:
        return [one["event"] for one in self.journal()]


def applying(plan: Path) -> tuple[str, ...]:
    return ("enforce", "--apply", "--yes", "--plan", str(plan))


@contextmanager
def laboratory(folder: Path, **server: Any) -> Iterator[Lab]:
    """From the start of a vCenter to its end; what merged into others' disks is a failure."""
    with Simulator(**server) as simulator, SoapLine(simulator) as line:
        lab = Lab(simulator, line, folder)
        yield lab
        assert lab.damage() == []


def part(plan: Path, name: str) -> list[Document]:
    """The actions, refusals or managers of a plan."""
    found: list[Document] = json.loads(plan.read_text(encoding="utf-8"))[name]
    return found
