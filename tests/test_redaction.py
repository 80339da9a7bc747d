"""Hidden values in every writing that a text may carry them in."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from snapaudit.errors import HypervisorError
from snapaudit.redaction import STARS, censored, forms, hide, redacted

CANARY = 'r3d-Yx!9 "/?&=<pässword>\\'
hide(CANARY)

WRITINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "url": lambda value: quote(value, safe=""),
    "query": quote_plus,
    "html": html.escape,
    "json": json.dumps,
    "python": repr,
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "utf-16": lambda value: value.encode("utf-16-le").hex(),
}


@pytest.mark.parametrize("name", WRITINGS)
def test_grd_34_a_hidden_value_becomes_stars_however_it_is_written(name: str) -> None:
    written = WRITINGS[name](CANARY)
    said = redacted(f"login as ada:{written}@host failed")
    assert STARS in said
    assert written.strip("\"'") not in said
    assert said.startswith("login as ada:")
    assert said.endswith("@host failed")


@pytest.mark.parametrize("user", ["", "a", "ad", "ada", "adam"])
def test_grd_34_a_value_within_base64_is_found_wherever_it_begins(user: str) -> None:
    header = base64.b64encode(f"{user}:{CANARY}".encode()).decode()
    left = redacted(header).replace(STARS, "")
    # What is left are letters that depend on its neighbours too: less than a byte on each side.
    assert len(left) <= len(header) - len(CANARY.encode()) * 8 // 6 + 1


@example("000000", b"\0", b"")
@given(st.text(min_size=6), st.binary(max_size=5), st.binary(max_size=5))
def test_base64_forms_are_in_every_base64_around_the_value(
    value: str, before: bytes, after: bytes
) -> None:
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        return
    whole = base64.b64encode(before + raw + after).decode()
    assert any(form in whole for form in forms(value))


def test_a_value_too_short_to_be_a_password_is_not_looked_for() -> None:
    hide("a")
    hide(None)
    assert redacted("a cat") == "a cat"


def test_grd_34_our_errors_repeat_no_hidden_value_that_a_server_said() -> None:
    error = HypervisorError(f"vc: the server said: bad password {CANARY!r}")
    assert str(error) == f"vc: the server said: bad password '{STARS}'"


def test_grd_34_a_stream_writes_stars_and_all_else_as_before() -> None:
    under = io.StringIO()
    stream = censored(under)
    assert stream.write(f"x {CANARY} y\n") == len(CANARY) + 5
    stream.writelines(["a\n", f"{CANARY}\n"])
    stream.flush()
    assert under.getvalue() == f"x {STARS} y\na\n{STARS}\n"
    assert censored(stream) is stream
    assert not stream.isatty()
