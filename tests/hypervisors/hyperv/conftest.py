"""Certificates for the hosts of the bed, made once."""

from __future__ import annotations

import pytest

from tests.beds.wsman.papers import Papers, papers


@pytest.fixture(scope="session")
def host_papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """A good certificate, an expired one and a client's."""
    return papers(tmp_path_factory.mktemp("papers") / "files")
