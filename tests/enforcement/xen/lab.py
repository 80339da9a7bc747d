"""The program as a user of one pool runs it, in a folder of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.beds.xapi.server import XapiBed
from tests.cli.running import Ran, ended, environment
from tests.hypervisors.xen.office import CHANGING, MOST_RUNS
from tests.hypervisors.xen.visiting import PASSWORD

Document = dict[str, Any]
_ROOT = Path(__file__).parents[3]
_CONFIG = """\
version: 1
endpoints:
  - name: pool1
    kind: xen
    url: "{url}"
    username: {username}
    password: {{env: POOL_PASSWORD}}
    tls: {tls}
{more}limits: {{min_free: 1MiB, max_actions: 20, max_share: 100%}}
"""


@dataclass
class Lab:
    """One pool and one folder."""

    bed: XapiBed
    folder: Path
    password: str = PASSWORD

    def __post_init__(self) -> None:
        self.configure()

    def configure(self, *, username: str = "root", tls: str = "", more: str = "") -> None:
        """Write the configuration; ``more``: further lines of the endpoint."""
        text = _CONFIG.format(
            url=self.bed.url,
            username=username,
            tls=tls or f"{{ca_file: {self.bed.ca_file}}}",
            more=more,
        )
        (self.folder / "snapaudit.yaml").write_text(text, encoding="utf-8")

    @property
    def sent(self) -> list[str]:
        """The calls that change something, as the server was asked for them."""
        return [method for method in self.bed.asked if method in CHANGING]

    def run(self, *words: str, module: str = "snapaudit") -> Ran:
        with self.started(*words, module=module) as process:
            return ended(process)

    @contextmanager
    def started(self, *words: str, module: str = "snapaudit") -> Iterator[subprocess.Popen[str]]:
        more = {"POOL_PASSWORD": self.password, "COLUMNS": "160", "PYTHONPATH": str(_ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=self.folder,
            env=environment(self.folder, more),
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

    def plan(self, *words: str) -> Path:
        """Make a plan and return its file."""
        before = set(self.plans())
        ran = self.run("enforce", "-q", *words)
        assert ran.code == 0, ran.out + ran.err
        (made,) = set(self.plans()) - before
        return made

    def plans(self) -> list[Path]:
        return sorted((self.folder / ".snapaudit/plans").glob("*.json"))

    def apply(self, plan: Path) -> Ran:
        return self.run(*applying(plan))

    def dies(self, plan: Path, moment: str, at: int) -> bool:
        """Apply and be killed at that entry of the journal; whether it came so far."""
        ran = self.run(moment, str(at), *applying(plan), module="tests.enforcement.dying")
        assert ran.code in (-9, 0), ran.out + ran.err
        return ran.code == -9

    def finish(self, plan: Path) -> None:
        """Apply until it is done, without anybody's help."""
        for _ in range(MOST_RUNS):
            ran = self.apply(plan)
            if ran.code == 0 or "was carried out already" in ran.err:
                return
            assert ran.code == 5, ran.out + ran.err
        raise AssertionError(f"not done after {MOST_RUNS} runs: {ran.out}{ran.err}")

    def journal(self) -> list[Document]:
        file = self.folder / ".snapaudit/journal.jsonl"
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def events(self) -> list[str]:
        return [str(entry["event"]) for entry in self.journal()]


def applying(plan: Path) -> tuple[str, ...]:
    return "enforce", "--apply", "--yes", "--plan", str(plan)


def part(plan: Path, name: str) -> list[Document]:
    """The actions, refusals or kept of a plan file."""
    found: list[Document] = json.loads(plan.read_text(encoding="utf-8"))[name]
    return found
