"""Passwords that are typed: once a run, by whoever is there, or told as missing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from snapaudit.config import secrets
from snapaudit.config.secrets import fetch
from snapaudit.config.settings import ConfiguredSecret
from snapaudit.config.typed import Typist
from snapaudit.errors import InputError, Place
from snapaudit.model.endpoint import SecretSource
from snapaudit.redaction import redacted
from tests.canaries import TYPED


def reference(line: int = 5) -> ConfiguredSecret:
    place = Place("snapaudit.yaml", line, 15)
    return ConfiguredSecret(source=SecretSource.PROMPT, name="audit at vc", place=place)


def test_each_password_is_asked_for_once_and_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def whom(question: str) -> str:
        asked.append(question)
        return TYPED

    monkeypatch.setattr(secrets, "TYPIST", Typist(whom))
    found = [fetch(reference(line), {}).reveal() for line in (5, 5, 9)]
    assert found == [TYPED] * 3
    assert asked == [
        "Password of audit at vc (snapaudit.yaml:5:15): ",
        "Password of audit at vc (snapaudit.yaml:9:15): ",
    ]
    assert TYPED not in redacted(f"it was {TYPED}")


def test_where_nobody_is_there_the_error_names_the_place_and_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(secrets, "TYPIST", Typist())
    with pytest.raises(InputError) as caught:
        fetch(reference(), {})
    assert str(caught.value) == (
        "snapaudit.yaml:5:15: the password from the terminal cannot be had: nobody is there to "
        "type it; name env: or file:"
    )


def test_an_empty_answer_is_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "TYPIST", Typist(lambda _: ""))
    with pytest.raises(InputError, match="is empty"):
        fetch(reference(), {})


def test_those_who_need_it_at_the_same_time_wait_for_one_answer() -> None:
    all_are_here, asked = threading.Barrier(4), []

    def whom(question: str) -> str:
        asked.append(question)
        return TYPED

    typist = Typist(whom)

    def one(_number: int) -> str | None:
        all_are_here.wait(10)
        return typist.ask("k", "?")

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(one, range(4))) == [TYPED] * 4
    assert asked == ["?"]
