"""The store on both kinds of database: each test that asks for one runs on a file and a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snapaudit.history.store import Store, open_file, open_server
from tests.beds.postgres import PostgresBed
from tests.canaries import DATABASE


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresBed]:
    with PostgresBed() as bed:
        yield bed


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        opened = open_file(tmp_path / "history.db", writing=True)
    else:
        opened = open_server(request.getfixturevalue("postgres").url(), DATABASE, writing=True)
    with opened:
        yield opened
