"""``password: {prompt: true}`` on a terminal of its own, and without one."""

from __future__ import annotations

from pathlib import Path

from tests.canaries import TYPED
from tests.cli.running import snapaudit, write_config
from tests.cli.terminal import terminal

ENDPOINT = (
    "{name: t, kind: libvirt, url: 'test:///default', username: ada, password: {prompt: true}}"
)


def test_grd_34_it_is_asked_for_once_before_work_begins_and_not_shown(tmp_path: Path) -> None:
    write_config(tmp_path, ENDPOINT, ENDPOINT.replace("name: t", "name: u"))
    with terminal("doctor", "-f", "json", "-o", "a.json", cwd=tmp_path) as seen:
        for name in ("t", "u"):
            seen.answer(f"Password of ada at {name} (", TYPED)
        said = seen.rest()
    assert seen.code == 0, said
    assert said.count("Password of") == 2
    assert TYPED not in said
    assert (tmp_path / "a.json").exists()


def test_without_a_terminal_only_its_endpoint_is_missing(tmp_path: Path) -> None:
    write_config(tmp_path, ENDPOINT, "{name: u, kind: libvirt, url: 'test:///default'}")
    ran = snapaudit("audit", cwd=tmp_path)
    assert ran.code == 3
    assert "nobody is there to type it" in ran.out
    assert ran.has_no_traceback()


def test_a_prompt_that_is_not_true_is_told_with_its_place(tmp_path: Path) -> None:
    write_config(tmp_path, ENDPOINT.replace("true", "'false'"))
    ran = snapaudit("audit", cwd=tmp_path)
    assert ran.code == 2
    assert "snapaudit.yaml:3:" in ran.err
