"""Machines that stand on images of others: what must not be merged or deleted below them."""

from __future__ import annotations

from pathlib import Path

from tests.beds.zoo.records import KIB, StagedMachine, StagedSnapshot
from tests.beds.zoo.yard import Yard


def template_with_clones(yard: Yard) -> list[StagedMachine]:
    """Two clones stand on a template's base, below the template's own snapshot."""
    image = yard.image("template")
    clones = [_clone(yard, name, image) for name in ("clone-a", "clone-b")]
    return [_with_snapshot(yard, "template", image), *clones]


def clone_of_an_overlay(yard: Yard) -> list[StagedMachine]:
    """A clone stands on the overlay of another machine's snapshot."""
    lender = _with_snapshot(yard, "lender", yard.image("lender"))
    return [lender, _clone(yard, "borrower", *lender.chains["vda"])]


def single_clone(yard: Yard) -> list[StagedMachine]:
    """One clone of a base that belongs to no machine."""
    return [_clone(yard, "only-clone", yard.image("seed"))]


def _clone(yard: Yard, name: str, *below: Path) -> StagedMachine:
    image = yard.image(name, backing=below[-1])
    yard.bed.write_offline(image, 0, 256 * KIB, 4)
    yard.machine(name, image)
    return StagedMachine(name=name, chains={"vda": (*below, image)})


def _with_snapshot(yard: Yard, name: str, image: Path) -> StagedMachine:
    guest = yard.machine(name, image)
    yard.external(guest, "golden")
    overlay = yard.overlay(guest, "golden")
    golden = StagedSnapshot(
        name="golden", kind="external", state="shutoff", overlays={"vda": overlay}, written_bytes=0
    )
    return StagedMachine(
        name=name, chains={"vda": (image, overlay)}, snapshots=(golden,), current="golden"
    )
