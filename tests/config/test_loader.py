from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from snapaudit.config.loader import defaults, load
from snapaudit.errors import InputError
from snapaudit.model.limits import Limits, Reserve
from tests.config.written import OPTIONS_OF, fault, settings


def test_smallest_file_gives_the_defaults_below_its_folder(tmp_path: Path) -> None:
    read = settings(tmp_path, "version: 1\n")
    assert read.state == tmp_path / ".snapaudit"
    assert read.reports == tmp_path / "reports"
    assert (read.endpoints, read.environments, read.mail) == ((), (), None)
    assert read.source == tmp_path / "snapaudit.yaml"


def test_default_limits_are_the_documented_ones() -> None:
    assert defaults(Path()).limits == Limits(
        min_age=timedelta(days=3),
        max_actions=10,
        max_share=0.05,
        max_bytes=500 * 2**30,
        min_free=Reserve(bytes=10 * 2**30, ratio=0.05),
        window=None,
    )


def test_relative_paths_start_at_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    monkeypatch.chdir(tmp_path)
    Path("site/snapaudit.yaml").write_text(
        "{version: 1, state: var/state, reports: /srv/reports, rules: {folders: [../rules]}}"
    )
    read = load(Path("site/snapaudit.yaml"), options_of={})
    assert read.state == tmp_path / "site/var/state"
    assert read.reports == Path("/srv/reports")
    assert read.rules.folders == (tmp_path / "site/../rules",)


def test_file_of_a_later_version_is_told_before_its_unknown_keys(tmp_path: Path) -> None:
    said = fault(tmp_path, "tenants: []\nversion: ▶2\n")
    assert said == "expected version 1, the one this program reads; found 2"


def test_missing_version_is_told(tmp_path: Path) -> None:
    assert fault(tmp_path, "▶endpoints: []\n") == "the key 'version' is missing"


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    said = fault(tmp_path, "version: 1\n▶endpoint: []\n")
    assert said.startswith("unknown key 'endpoint'; known here: approvals, check, ")
    assert said.endswith("(did you mean 'endpoints'?)")


def test_misspelt_version_is_an_unknown_key(tmp_path: Path) -> None:
    assert fault(tmp_path, "▶vresion: 1\n").endswith("(did you mean 'version'?)")


def test_duplicate_key_names_the_first_line(tmp_path: Path) -> None:
    said = fault(tmp_path, "version: 1\nstate: a\n▶state: b\n")
    assert said == "the key 'state' stands twice, first in line 2"


@pytest.mark.parametrize("text", ["▶- a\n", "▶text\n", "▶12\n"])
def test_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert fault(tmp_path, text).startswith("expected a mapping, found ")


@pytest.mark.parametrize("value", ["▶", "▶12", "▶[a]", "▶'a\\nb'", '▶"a\\0b"', "▶' a'"])
def test_path_has_to_be_one_line_of_text(tmp_path: Path, value: str) -> None:
    value = value.replace("'a\\nb'", '"a\\nb"')
    said = fault(tmp_path, f"{{version: 1, state: {value}}}".replace(": ▶}", ":▶ }"))
    assert "text" in said


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"snapaudit\.yaml: cannot be read: No such file"):
        load(tmp_path / "snapaudit.yaml", options_of=OPTIONS_OF)
