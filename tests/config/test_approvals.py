from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.model.approvals import Approvals
from tests.config.written import fault, settings


def test_signers_are_taken_from_the_folder_of_the_file(tmp_path: Path) -> None:
    text = "version: 1\napprovals: {needed: 2, signers: keys/signers}\n"
    wanted = Approvals(needed=2, signers=tmp_path / "keys/signers")
    assert settings(tmp_path, text).approvals == wanted


def test_nobody_has_to_approve_where_nothing_is_written(tmp_path: Path) -> None:
    assert settings(tmp_path, "version: 1\n").approvals is None


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("▶{signers: /s}", "the key 'needed' is missing"),
        ("▶{needed: 2}", "the key 'signers' is missing"),
        ("{needed: ▶0, signers: /s}", "expected a whole number, 1 or more"),
        ("{needed: ▶'2', signers: /s}", "expected a whole number, 0 or more, found '2'"),
        ("{needed: 2, signers: ▶''}", "expected text"),
        ("{needed: 2, signers: /s, ▶signer: /s}", "unknown key 'signer'"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, marked: str, said: str) -> None:
    assert fault(tmp_path, f"version: 1\napprovals: {marked}\n").startswith(said)
