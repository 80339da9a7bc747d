"""Every way of deleting a snapshot, on real QEMU: the guest's data stays bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.guests import Life
from tests.beds.libvirtd import LibvirtBed
from tests.hypervisors.libvirt.acting import Subject, act, deletion, subject

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def pool(libvirt_bed: LibvirtBed) -> Path:
    return libvirt_bed.pool("acting")


@pytest.fixture(params=[Life.OFF, Life.RUNNING], ids=["off", "running"])
def one(request: pytest.FixtureRequest, libvirt_bed: LibvirtBed, pool: Path) -> Iterator[Subject]:
    with subject(libvirt_bed, pool, life=request.param) as made:
        yield made


def three(of: Subject, *, external: bool) -> None:
    for number, name in enumerate(("s1", "s2", "s3")):
        of.take(name, external=external)
        of.write(number * 3, 5, number + 2)


@pytest.mark.parametrize("target", ["s1", "s2", "s3"])
@pytest.mark.parametrize("merge", ["auto", "manual"])
def test_external_snapshot_is_merged_at_any_place_in_the_line(
    one: Subject, target: str, merge: str
) -> None:
    three(one, external=True)
    before, rest = one.contents(), {"s1", "s2", "s3"} - {target}
    identities = {s.name: s.identity for s in one.seen().snapshots}
    run = act(one, deletion(one, target), merge=merge)
    print(run.names, run.failed)
    assert run.failed == []
    assert one.contents() == before
    assert one.snapshots() == rest
    assert one.chains() == {"vda": [".qcow2", *(f".{name}" for name in sorted(rest))]}
    assert one.files() == {".qcow2", *(f".{name}" for name in rest)}
    assert {s.name: s.identity for s in one.seen().snapshots} == {
        name: identities[name] for name in rest
    }
