"""The program as a user of one endpoint runs it, from plan to outcome, in a folder of its own."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.beds.guests import Life
from tests.beds.libvirtd import MIB, LibvirtBed
from tests.beds.processes import wait_until
from tests.cli.running import Ran, snapaudit
from tests.enforcement.machines import Machine

Document = dict[str, Any]


class Lab:
    """The program as a user of one endpoint, ``kvm``, runs it, in a folder of its own."""

    def __init__(
        self, bed: LibvirtBed, folder: Path, *, url: str | None = None, more: str = ""
    ) -> None:
        self.bed, self.folder, self._url = bed, folder, url or bed.uri
        self.configure(more=more)

    def configure(self, *, more: str = "", limits: str = "") -> None:
        """Write the configuration; ``more``: further keys of the endpoint."""
        endpoint = f'{{name: kvm, kind: libvirt, url: "{self._url}"{more}}}'
        text = (
            f"version: 1\nendpoints:\n  - {endpoint}\n"
            f"limits: {{min_free: 1MiB, max_actions: 20, max_share: 100%{limits}}}\n"
        )
        self.config.write_text(text, encoding="utf-8")

    @property
    def config(self) -> Path:
        return self.folder / "snapaudit.yaml"

    def machine(
        self,
        name: str,
        *,
        life: Life = Life.OFF,
        disks: int = 1,
        pool: Path | None = None,
        backing: Path | None = None,
    ) -> Machine:
        """A machine with some data, in a pool of its own name; ``backing``: as a linked clone."""
        home = pool or self.bed.pool(name)
        files = [home / f"{name}{number or ''}.qcow2" for number in range(disks)]
        for file in files:
            self.bed.create_image(file, size_bytes=16 * MIB, backing=backing)
            self.bed.write_offline(file, 0, 2 * MIB, 1)
        return Machine(self.bed, self.bed.define_vm(name, files, life=life), home)

    def run(self, *words: str) -> Ran:
        return snapaudit(*words, cwd=self.folder, COLUMNS="120")

    def plan(self, *words: str) -> Path:
        """Make a plan and return its file."""
        before = set(self.plans())
        ran = self.run("enforce", "-q", *words)
        assert ran.code == 0, ran.err
        (made,) = set(self.plans()) - before
        return made

    def plans(self) -> list[Path]:
        return sorted((self.folder / ".snapaudit/plans").glob("*.json"))

    def decide(self, plan: Path, wanted: Callable[[Document], bool]) -> Ran:
        """Edit the decisions as a reviewer does, and sign them off."""
        document = json.loads(plan.read_text(encoding="utf-8"))
        for action in document["actions"]:
            action["decision"] = "apply" if wanted(action) else "skip"
        plan.write_text(json.dumps(document, indent=2), encoding="utf-8")
        return self.run("enforce", "--plan", str(plan), "--reseal")

    def apply(self, plan: Path, *words: str) -> Ran:
        return self.run("enforce", "--apply", "--yes", "--plan", str(plan), *words)

    @contextmanager
    def applying(self, plan: Path) -> Iterator[subprocess.Popen[str]]:
        """The same under way: from the moment at which its first call has been sent."""
        with self._started("enforce", "--apply", "--yes", "--plan", str(plan)) as process:
            wait_until(lambda: bool(self.calls()), 60, "something is sent")
            yield process

    @contextmanager
    def _started(self, *words: str, terminal: int | None = None) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "snapaudit", *words],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "COLUMNS": "120"},
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE if terminal is None else terminal,
            stderr=subprocess.PIPE if terminal is None else terminal,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def answered(self, answer: str, *words: str) -> Ran:
        """The program at a terminal, with somebody who types that once he is asked."""
        ours, terminal = pty.openpty()
        shown = ""
        with self._started(*words, terminal=terminal) as process:
            os.close(terminal)
            with suppress(OSError):  # what a terminal says when nobody is left at its other end
                while piece := os.read(ours, 4096).decode(errors="replace"):
                    if "Type yes" in shown + piece and "Type yes" not in shown:
                        os.write(ours, f"{answer}\n".encode())
                    shown += piece
            os.close(ours)
            return Ran(process.wait(30), shown, "")

    def journal(self) -> list[Document]:
        file = self.folder / ".snapaudit/journal.jsonl"
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def calls(self) -> list[Document]:
        """What was sent to the host, by the journal."""
        return [one for one in self.journal() if one["event"] == "submitted"]


def actions(plan: Path) -> list[Document]:
    return _part(plan, "actions")


def refusals(plan: Path) -> list[Document]:
    return _part(plan, "refusals")


def kept(plan: Path) -> list[Document]:
    return _part(plan, "kept")


def _part(plan: Path, name: str) -> list[Document]:
    found: list[Document] = json.loads(plan.read_text(encoding="utf-8"))[name]
    return found
