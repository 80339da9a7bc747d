"""The demo fleet as an endpoint: about forty machines that the libvirt collector reads for real."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from snapaudit.demo import xml
from snapaudit.demo.blueprint import Fleet
from snapaudit.demo.branches import BRANCHES
from snapaudit.demo.dating import dated
from snapaudit.demo.laboratory import LABORATORY, SPARES
from snapaudit.demo.layout import MEMORY_POOL, by_path, lay_out
from snapaudit.demo.outpost import OUTPOST
from snapaudit.demo.production import PRODUCTION
from snapaudit.demo.workshop import WORKSHOP
from snapaudit.errors import InputError
from snapaudit.model.endpoint import Endpoint

FLEET = Fleet(
    pools=(
        "ssd-a", "ssd-b", "san-1", "files", "vdi", "lab", "build", "branch", "archive",
        MEMORY_POOL, "iso",
    ),
    machines=(*PRODUCTION, *WORKSHOP, *BRANCHES, *LABORATORY),
    spares=SPARES,
)  # fmt: skip


def stage_all(folder: Path, now: datetime) -> tuple[Endpoint, ...]:
    """Every endpoint of the demo: the company's fleet, and its branch office. See `stage`."""
    return stage(folder, now), _staged("demo-branch", OUTPOST, folder / "branch.xml", now)


def stage(folder: Path, now: datetime) -> Endpoint:
    """An endpoint for the fleet as it stands at ``now``, written to ``fleet.xml`` in the folder.

    Equal times give equal files. libvirt's test driver reads the file anew at each connection and
    keeps what happens then to itself. Raises InputError when the file cannot be written.
    """
    return _staged("demo", FLEET, folder / "fleet.xml", now)


def _staged(name: str, fleet: Fleet, file: Path, now: datetime) -> Endpoint:
    path = file.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(fleet, now), encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from error
    return Endpoint(name=name, kind="libvirt", url=f"test{path.as_uri().removeprefix('file')}")


def _text(fleet: Fleet, now: datetime) -> str:
    machines = [dated(machine, now) for machine in fleet.machines]
    layouts = [lay_out(machine) for machine in machines]
    images = by_path((*(i for layout in layouts for i in layout.images), *fleet.spares))
    return xml.node(zip(machines, layouts, strict=True), fleet.pools, images)
