"""A post: a folder from which one far end is looked after through a line that may break."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.beds.line import Line
from tests.beds.proxy import Proxy
from tests.cli.running import Ran, snapaudit
from tests.faults.network.farend import FarEnd

MOST_RUNS = 4
_CONFIG = """\
version: 1
endpoints:
  - {entry}
limits: {{min_free: 1MiB, max_actions: 20, max_share: 100%}}
"""


@dataclass
class Post:
    far: FarEnd
    proxy: Proxy
    folder: Path

    def run(self, *words: str) -> Ran:
        ran = snapaudit(*words, cwd=self.folder, COLUMNS="160", **self.far.environ)
        assert ran.has_no_traceback(), told(ran)
        return ran

    def plan(self) -> Path:
        ran = self.run("enforce", "-q")
        assert ran.code == 0, told(ran)
        plans = (self.folder / ".snapaudit/plans").glob("*.json")
        return max(plans, key=lambda plan: plan.stat().st_mtime_ns)

    def apply(self, plan: Path) -> Ran:
        return self.run("enforce", "--apply", "--yes", "--plan", str(plan))

    def finish(self, plan: Path) -> None:
        """Apply until it is done, without anybody's help, through a line that is well again."""
        self.proxy.line, self.proxy.lasts = Line(), None
        for _ in range(MOST_RUNS):
            ran = self.apply(plan)
            if self.far.snapshots() == []:
                break
            if "was carried out already" in ran.err:
                plan = self.plan()  # it was refused as a whole, and a refused plan is used up
            else:
                assert ran.code in (0, 5), told(ran)
        assert self.far.snapshots() == [], told(ran)
        assert self.run("journal", "verify").code == 0

    def events(self) -> list[str]:
        journal = self.folder / ".snapaudit/journal.jsonl"
        text = journal.read_text("utf-8") if journal.exists() else ""
        return [json.loads(line)["event"] for line in text.splitlines()]


def told(ran: Ran) -> str:
    return f"exit {ran.code}\n{ran.out}\n{ran.err}"


@contextmanager
def post(far: FarEnd, folder: Path, *, deadline: str = "30s") -> Iterator[Post]:
    """A post with nothing in its folder but a configuration, and a line that is well."""
    far.begin_anew()
    with Proxy(far.port) as proxy:
        entry = far.entry("far", proxy.port, more=f", deadline: {deadline}")
        (folder / "snapaudit.yaml").write_text(_CONFIG.format(entry=entry), "utf-8")
        yield Post(far, proxy, folder)
