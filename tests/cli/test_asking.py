"""The question before anything is changed."""

from __future__ import annotations

import io

import pytest

from snapaudit.cli.asking import confirm
from snapaudit.cli.options import Common
from snapaudit.errors import RefusedError, UsageError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def asked(monkeypatch: pytest.MonkeyPatch, typed: str, *, yes: bool = False) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    confirm(Common(yes=yes), "Do it?", without="add --yes")


@pytest.mark.parametrize("typed", ["yes\n", " YES \n", "yes"])
def test_yes_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str
) -> None:
    asked(monkeypatch, typed)
    assert capsys.readouterr().err == "Do it? Type yes: "


@pytest.mark.parametrize("typed", ["", "\n", "y\n", "no\n", "yes please\n"])
def test_anything_else_is_a_no(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    with pytest.raises(RefusedError, match="nothing was changed"):
        asked(monkeypatch, typed)


def test_nobody_is_asked_who_said_yes_already(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(monkeypatch, "no\n", yes=True)
    assert capsys.readouterr().err == ""


def test_without_a_terminal_the_missing_option_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    with pytest.raises(UsageError, match="add --yes"):
        confirm(Common(), "Do it?", without="add --yes")
