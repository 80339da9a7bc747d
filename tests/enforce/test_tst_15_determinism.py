"""TST-15: equal inventory and configuration give equal bytes, but for a plan's id and times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from snapaudit.enforce.sealing import seal
from snapaudit.model.inventory import Checkpoint
from tests.enforce.fake.builders import machine, manager
from tests.enforce.fake.office import Office
from tests.enforce.fake.people import overlay
from tests.enforce.fake.world import World
from tests.enforce.folders import quick_folder
from tests.enforce.planning import line, planned, view

_TIMES = ("id", "planned_at", "expires_at", "digest")


def sealed() -> bytes:
    """A plan of two endpoints with refusals of several kinds."""
    checkpoint = Checkpoint(id="c", name="c", created_at=None, parent_id=None, disk_labels=())
    return seal(
        planned(
            view(line("a", "9d", "8d"), line("b", "9d"), line("c", "1h"), endpoint="kvm2"),
            view(
                line("d", "9d", "8d", tags=("x", "y"), checkpoints=(checkpoint,)),
                line("e", "30d", protections=("clone: one", "busy: a job")),
            ),
        )
    )


def test_tst_15_the_same_bytes_whatever_the_hash_seed() -> None:
    command = "from tests.enforce.test_tst_15_determinism import sealed; print(sealed().decode())"
    root = Path(__file__).parents[2]
    said = []
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", command],
            env=environment,
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        )
        said.append(done.stdout.strip())
    assert len(set(said)) == 1
    assert said[0] == sealed().decode().strip()
    assert len(json.loads(said[0])["actions"]) > 3


def test_tst_15_two_plans_of_one_world_differ_in_id_and_times_alone() -> None:
    world = World()
    host = manager(world)
    machine(world, host, "web01", snaps=("a", "b"), disks=2)
    overlay(world, machine(world, host, "db01", snaps=(), store="pool-2"))
    with quick_folder() as folder:
        office = Office(folder, world)
        first, second = (_bare(office.plan()) for _ in range(2))
        assert first == second
        world.clock.skip(timedelta(seconds=1))
        third = _bare(office.plan())
        assert first.keys() == third.keys()
        assert [one["because"] for one in first["actions"]] != []


def _bare(path: Path) -> dict[str, list[dict[str, object]]]:
    text = path.read_text("utf-8")
    document = json.loads(text.replace(json.loads(text)["id"], "ID"))
    return {key: value for key, value in document.items() if key not in _TIMES}
