from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.config import discovery
from snapaudit.config.discovery import find
from snapaudit.errors import InputError


@pytest.fixture(autouse=True)
def no_system_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "SYSTEM", tmp_path / "etc/snapaudit.yaml")


def _written(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("version: 1\n")
    return path


def test_places_are_asked_in_their_order(tmp_path: Path) -> None:
    cwd = tmp_path / "project"
    environ = {"HOME": str(tmp_path / "home"), "SNAPAUDIT_CONFIG": str(tmp_path / "b.yaml")}
    named = _written(tmp_path / "a.yaml")
    by_variable = _written(tmp_path / "b.yaml")
    here = _written(cwd / "snapaudit.yaml")
    of_user = _written(tmp_path / "home/.config/snapaudit/snapaudit.yaml")
    of_system = _written(tmp_path / "etc/snapaudit.yaml")
    assert find(named, environ, cwd) == named
    assert find(None, environ, cwd) == by_variable
    del environ["SNAPAUDIT_CONFIG"]
    assert find(None, environ, cwd) == here
    here.unlink()
    assert find(None, environ, cwd) == of_user
    of_user.unlink()
    assert find(None, environ, cwd) == of_system
    of_system.unlink()
    assert find(None, environ, cwd) is None


def test_relative_names_start_at_the_folder_at_hand(tmp_path: Path) -> None:
    path = _written(tmp_path / "site/snapaudit.yaml")
    assert find(Path("site/snapaudit.yaml"), {}, tmp_path) == path
    assert find(None, {"SNAPAUDIT_CONFIG": "site/snapaudit.yaml"}, tmp_path) == path


def test_user_folder_may_be_moved_by_an_absolute_path_only(tmp_path: Path) -> None:
    home = _written(tmp_path / "home/.config/snapaudit/snapaudit.yaml")
    moved = _written(tmp_path / "xdg/snapaudit/snapaudit.yaml")
    environ = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    assert find(None, environ, tmp_path) == moved
    assert find(None, environ | {"XDG_CONFIG_HOME": "xdg"}, tmp_path) == home


@pytest.mark.parametrize(
    ("explicit", "environ", "by"),
    [
        (Path("gone.yaml"), {}, "named by --config"),
        (None, {"SNAPAUDIT_CONFIG": "gone.yaml"}, "named by SNAPAUDIT_CONFIG"),
    ],
)
def test_named_file_that_does_not_exist_is_told_although_another_does(
    tmp_path: Path, explicit: Path | None, environ: dict[str, str], by: str
) -> None:
    _written(tmp_path / "snapaudit.yaml")
    with pytest.raises(InputError, match=by) as caught:
        find(explicit, environ, tmp_path)
    assert str(tmp_path / "gone.yaml") in str(caught.value)


def test_empty_variable_names_nothing(tmp_path: Path) -> None:
    path = _written(tmp_path / "snapaudit.yaml")
    assert find(None, {"SNAPAUDIT_CONFIG": ""}, tmp_path) == path


def test_home_that_cannot_be_looked_at_is_passed_over(tmp_path: Path) -> None:
    system = _written(tmp_path / "etc/snapaudit.yaml")
    assert find(None, {"HOME": "/" + "x" * 5000}, tmp_path) == system
