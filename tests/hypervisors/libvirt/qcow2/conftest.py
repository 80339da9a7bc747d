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
    # Asked for now, so that it is there still when the test has ended.
    folder: Path | None = (
        request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    )
    yield
    for image in folder.rglob("*") if folder is not None else ():
        if image.is_file():
            image.unlink()
