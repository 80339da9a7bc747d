from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hypervisors.libvirt.qcow2.images import require_tools


@pytest.fixture
def tools() -> None:
    require_tools()


@pytest.fixture(autouse=True)
def _no_image_outlives_its_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Together they are gigabytes, of zeroes and noise, and of each run pytest keeps three."""
    yield
    if "tmp_path" in request.fixturenames:
        folder: Path = request.getfixturevalue("tmp_path")
        for image in (path for path in folder.rglob("*") if path.is_file()):
            image.unlink()
