"""Whatever stands in a configuration: one line with a place, soon, and never a secret."""

from __future__ import annotations

import re
import tempfile
import time
import traceback
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from snapaudit.config.loader import load
from snapaudit.config.template import text as template_text
from snapaudit.errors import InputError
from tests.canaries import BROKEN
from tests.config.written import OPTIONS_OF

_EXAMPLE = re.sub(r"(?m)^# ", "", template_text(()))
_LINES = _EXAMPLE.splitlines()
_SIGNS = "{}[],&*!|>'\"\\#%-?@`: "
_bounded = hypothesis_settings(max_examples=150, deadline=timedelta(seconds=20))


def _fault(content: bytes) -> InputError | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snapaudit.yaml"
        path.write_bytes(content)
        try:
            load(path, options_of=OPTIONS_OF)
        except InputError as error:
            return error
    return None


@given(st.binary(max_size=400))
@_bounded
def test_any_bytes_end_in_an_input_error(content: bytes) -> None:
    error = _fault(content)
    assert error is not None
    assert "\n" not in error.message


@given(st.text(alphabet=_SIGNS + "ab~ \n\t0U\x00\ufeff\ud800", max_size=60))
@_bounded
def test_any_text_that_looks_like_yaml_ends_in_an_input_error(written: str) -> None:
    assert _fault(written.encode("utf-8", "surrogatepass")) is not None


@given(
    st.integers(0, len(_EXAMPLE)),
    st.integers(0, 12),
    st.text(alphabet="aZ0:{}[],&*!'\"\\#%- \n", max_size=6),
)
@_bounded
def test_damaged_configuration_is_read_or_ends_in_an_input_error(
    at: int, cut: int, put: str
) -> None:
    _fault((_EXAMPLE[:at] + put + _EXAMPLE[at + cut :]).encode())


@given(st.permutations(range(len(_LINES))))
@_bounded
def test_shuffled_lines_are_read_or_end_in_an_input_error(order: list[int]) -> None:
    _fault("\n".join(_LINES[number] for number in order).encode())


@given(
    st.sampled_from(
        ["password: #", "enforce_as: {username: a, password: #}", "url: https://u:#@vc"]
    ),
    st.text(alphabet=_SIGNS, max_size=3),
    st.text(alphabet=_SIGNS, max_size=3),
)
@_bounded
def test_no_message_holds_a_password_however_it_is_written(
    entry: str, before: str, after: str
) -> None:
    written = entry.replace("#", before + BROKEN + after)
    for text in (
        f"version: 1\nendpoints: [{{name: vc, kind: xen, {written}}}]\n",
        f"version: 1\nendpoints:\n  - name: vc\n    kind: xen\n    {written}\n",
    ):
        error = _fault(text.encode())
        assert error is not None
        assert BROKEN not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "written", [f"!{BROKEN}!x y", f"*{BROKEN}", f'"{BROKEN}\\q"'], ids=["tag", "alias", "escape"]
)
def test_syntax_error_does_not_show_the_line(written: str) -> None:
    error = _fault(f"version: 1\npassword: {written}\n".encode())
    assert error is not None
    assert error.place.line == 2
    assert BROKEN not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "content",
    ["[" * 500_000, "- " * 300_000, "a: &a [x]\nb: *a\n", "#" * 2_000_000, '"' + "\\n" * 100_000],
)
def test_hostile_file_is_refused_soon(content: str) -> None:
    started = time.monotonic()
    assert _fault(content.encode()) is not None
    assert time.monotonic() - started < 10
