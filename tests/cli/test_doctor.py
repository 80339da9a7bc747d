"""``snapaudit doctor`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import snapaudit, write_config

TEST = "{name: t, kind: libvirt, url: 'test:///default'}"
FAR = "{name: far, kind: libvirt, url: 'qemu+tcp://127.0.0.1:1/system'}"


def test_well_endpoint_ends_with_done_and_a_table(tmp_path: Path) -> None:
    write_config(tmp_path, TEST)
    ran = snapaudit("doctor", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert "t (libvirt)  well" in ran.out
    assert "1 endpoint examined, 1 well" in ran.out


def test_endpoint_that_cannot_be_reached_ends_with_incomplete_and_its_repair(
    tmp_path: Path,
) -> None:
    write_config(tmp_path, TEST, FAR)
    ran = snapaudit("doctor", cwd=tmp_path)
    assert ran.code == 3
    assert "nothing listens on port 1" in ran.out
    assert "→ check the port in url:" in ran.out
    assert "2 endpoints examined, 1 well" in ran.out
    assert ran.has_no_traceback()


@pytest.mark.parametrize("words", [("doctor", "t"), ("doctor", "--endpoint", "t")])
def test_endpoints_that_are_named_are_examined_alone(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    write_config(tmp_path, TEST, FAR)
    ran = snapaudit(*words, cwd=tmp_path)
    assert ran.code == 0
    assert "far" not in ran.out


def test_document_has_its_schema_and_a_state_for_each_probe(tmp_path: Path) -> None:
    write_config(tmp_path, FAR)
    ran = snapaudit("doctor", "-f", "json", "-o", "seen.json", cwd=tmp_path)
    assert (ran.code, ran.out) == (3, "")
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert seen["schema"] == "snapaudit/examination@1"
    [far] = seen["endpoints"]
    assert [(one["name"], one["state"]) for one in far["probes"]] == [
        ("name", "ok"),
        ("port", "failed"),
    ]


def test_json_is_another_word_for_the_format(tmp_path: Path) -> None:
    write_config(tmp_path, TEST)
    short, long = (snapaudit("doctor", *words, cwd=tmp_path) for words in (["--json"], ["-fjson"]))
    assert json.loads(short.out)["endpoints"] == json.loads(long.out)["endpoints"]
    assert snapaudit("doctor", "--json", "-f", "table", cwd=tmp_path).code == 2


def test_s2_password_that_cannot_be_had_is_named_by_its_source(tmp_path: Path) -> None:
    account = "enforce_as: {username: clean, password: {env: NOT_SET}}"
    write_config(tmp_path, f"{{name: t, kind: libvirt, url: 'test:///default', {account}}}")
    ran = snapaudit("doctor", cwd=tmp_path)
    assert ran.code == 3
    assert "NOT_SET" in ran.out


@pytest.mark.parametrize(
    "option", [("--demo",), ("--inventory", "i.json"), ("--now", "2026-06-01T12:00:00Z")]
)
def test_saved_and_made_up_views_are_refused(tmp_path: Path, option: tuple[str, ...]) -> None:
    write_config(tmp_path, TEST)
    ran = snapaudit("doctor", *option, cwd=tmp_path)
    assert ran.code == 2
    assert "live endpoints" in ran.err


def test_unknown_endpoint_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    write_config(tmp_path, TEST, FAR)
    ran = snapaudit("doctor", "fat", cwd=tmp_path)
    assert ran.code == 2
    assert "did you mean 'far'" in ran.err
