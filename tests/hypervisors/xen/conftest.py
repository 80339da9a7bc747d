"""A XAPI of our own for each test; the certificates are made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.xapi.server import XapiBed
from tests.enforce.folders import quick_folder
from tests.hypervisors.xen.office import Office


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("xapi")


@pytest.fixture
def bed(certificates: Path) -> Iterator[XapiBed]:
    with XapiBed(certificates) as bed:
        yield bed


@pytest.fixture
def office(bed: XapiBed) -> Iterator[Office]:
    with quick_folder() as folder:
        yield Office(folder, bed)
