"""The beds as fixtures; each is started once, when the first test asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.beds.libvirtd import LibvirtBed
from tests.beds.zoo import Zoo, build_zoo

pytest_plugins = ["tests.canaries.plugin"]

# Where nobody watches, a run fails for what was changed and not for what it happened to draw.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


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
