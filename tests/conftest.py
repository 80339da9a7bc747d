"""The beds as fixtures; each is started once, when the first test asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.beds.libvirtd import LibvirtBed
from tests.beds.zoo import Zoo, build_zoo


@pytest.fixture(scope="session")
def libvirt_bed() -> Iterator[LibvirtBed]:
    """A private libvirtd for machines of a test's own; what a test defines there, it removes."""
    with LibvirtBed() as bed:
        yield bed


@pytest.fixture(scope="session")
def libvirt_zoo() -> Iterator[Zoo]:
    """Every kind of snapshot and trouble on a daemon that has nothing else; to be read only."""
    with LibvirtBed() as bed:
        yield build_zoo(bed)
