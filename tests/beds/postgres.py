"""A PostgreSQL server of our own, on a socket in a folder of its own and on no network address."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from shutil import rmtree
from types import TracebackType
from typing import Self

from tests.beds import reaper
from tests.beds.account import unprivileged
from tests.beds.processes import wait_until
from tests.beds.required import require_bed, require_program
from tests.canaries import DATABASE
from tests.canaries.search import in_folder

_WITHIN = 30.0
_USER = "snapaudit"
_ASKED_EVERY = 0.05
# Debian keeps each version in a folder of its own and puts none of them into the path.
_FOLDERS = "usr/lib/postgresql/*/bin"


def _program(name: str) -> str:
    found = sorted(Path("/").glob(f"{_FOLDERS}/{name}"))
    return str(found[-1]) if found else require_program(name)


class PostgresBed:
    """A server with one account, whose password is `DATABASE`, from ``with`` to the block's end.

    What it kept is searched for credentials then: a history lies there.
    """

    def __init__(self) -> None:
        self._server, self._initdb = _program("postgres"), _program("initdb")
        self._account = unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="sa-pg-"))
        self._numbers = count(1)

    def __enter__(self) -> Self:
        data = str(self._folder / "data")
        word = self._folder / "password"
        word.write_text(DATABASE, encoding="utf-8")
        self._account.own(self._folder)
        login = ("-A", "scram-sha-256", "-U", _USER, "--pwfile", str(word))
        self._run(self._initdb, "-D", data, *login, "-N", "-E", "UTF8")
        word.unlink()
        with (self._folder / "out").open("wb") as said:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-IS", reaper.__file__, str(self._folder)),
                    *self._account.command(self._server, "-D", data, "-k", str(self._folder)),
                    *("-h", "", "-c", "fsync=off", "-c", "max_connections=30"),
                ],
                env={"PATH": os.environ.get("PATH", os.defpath)},
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        try:
            wait_until(self._answers, _WITHIN, "postgres answers")
        except TimeoutError as error:
            self._stop()
            require_bed(str(error))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        found = in_folder(self._folder)
        self._stop()
        assert found == []

    def url(self) -> str:
        """A new, empty database."""
        name = f"history_{next(self._numbers)}"
        self._ask("postgres", f"CREATE DATABASE {name}")
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql://{_USER}@/{database}?host={self._folder}"

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise TimeoutError(f"postgres ended: {(self._folder / 'out').read_text()[-500:]}")
        if not (self._folder / ".s.PGSQL.5432").exists():
            return False
        try:
            self._ask("postgres", "SELECT 1")
        except Exception:  # noqa: BLE001 - it is still starting; whatever lasts ends the waiting
            time.sleep(_ASKED_EVERY)
            return False
        return True

    def _ask(self, database: str, sql: str) -> None:
        import psycopg

        with psycopg.connect(self._url(database), autocommit=True, password=DATABASE) as connection:
            connection.execute(sql.encode())

    def _run(self, *words: str) -> None:
        subprocess.run(
            self._account.command(*words), check=True, capture_output=True, cwd=self._folder
        )

    def _stop(self) -> None:
        self._process.communicate(timeout=_WITHIN)
        rmtree(self._folder, ignore_errors=True)
