"""Passwords in environment variables leave the environment, and yet can be fetched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from snapaudit.app.gather import Request, settings_of
from snapaudit.config.secrets import fetch
from tests import canaries
from tests.cli.running import write_config

NAME = "SNAPAUDIT_TEST_PASSWORD"
ACTING = "SNAPAUDIT_TEST_ACTING"


def test_grd_34_no_child_inherits_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enforce_as = f"enforce_as: {{username: b, password: {{env: {ACTING}}}}}"
    where = "name: t, kind: libvirt, url: 'test:///default'"
    write_config(tmp_path, f"{{{where}, password: {{env: {NAME}}}, {enforce_as}}}")
    monkeypatch.setenv(NAME, canaries.FETCHED)
    monkeypatch.setenv(ACTING, canaries.ACTING)
    request = Request(environ=os.environ, folder=tmp_path)
    [endpoint] = settings_of(request).endpoints
    child = [sys.executable, "-c", "import os; print(dict(os.environ))"]
    said = subprocess.run(child, capture_output=True, encoding="utf-8", check=True).stdout
    assert "PATH" in said
    assert canaries.FETCHED not in said
    assert canaries.ACTING not in said
    assert endpoint.account.password is not None
    for _ in range(2):
        settings_of(request)  # as `serve` does before each round
        assert fetch(endpoint.account.password, os.environ).reveal() == canaries.FETCHED


def test_an_environment_that_is_not_the_own_one_stays_as_it_is(tmp_path: Path) -> None:
    write_config(
        tmp_path, f"{{name: t, kind: libvirt, url: 'test:///x', password: {{env: {NAME}}}}}"
    )
    environ = {NAME: canaries.FETCHED}
    settings_of(Request(environ=environ, folder=tmp_path))
    assert environ == {NAME: canaries.FETCHED}
