from __future__ import annotations

import pytest

from tests.beds.required import require_bed, require_program


def test_bed_that_cannot_be_had_skips_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNAPAUDIT_REQUIRE_BEDS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no daemon here"):
        require_bed("no daemon here")


def test_bed_that_is_required_fails_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAPAUDIT_REQUIRE_BEDS", "1")
    with pytest.raises(pytest.fail.Exception, match="no daemon here"):
        require_bed("no daemon here")


def test_program_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNAPAUDIT_REQUIRE_BEDS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        require_program("no-such-program")
