"""Faults S: what gives away a secret, or lets somebody else decide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.canaries import LIBVIRT
from tests.canaries.search import in_folder
from tests.cli.running import snapaudit

ROOT = Path(__file__).parents[2]
ENDPOINT = (
    'version: 1\nendpoints:\n  - {name: t, kind: libvirt, url: "test:///default", username: ada,'
    " password: {env: AUDIT_CANARY}, enforce_as: {username: bob, password: {command: "
    '"touch enforce-secret-was-fetched"}}}\n'
)


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "-v", "-f", "json", "-o", "html=a.html", "-o", "json=a.json"),
        ("check", "-v"),
        ("enforce", "-v", "-f", "json"),
        ("collect", "-o", "seen.json"),
        ("journal", "list"),
    ],
    ids=lambda words: words[0],
)
def test_s1_s3_tst_13_no_output_or_file_holds_a_secret_and_the_acting_one_is_not_even_fetched(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    pytest.importorskip("libvirt")
    (tmp_path / "snapaudit.yaml").write_text(ENDPOINT, encoding="utf-8")
    done = snapaudit(*words, cwd=tmp_path, AUDIT_CANARY=LIBVIRT)
    assert done.code in (0, 3)
    assert not (tmp_path / "enforce-secret-was-fetched").exists()
    assert in_folder(tmp_path) == []


def test_s8_every_library_is_pinned_with_its_hash() -> None:
    lines = (ROOT / "requirements/all.lock").read_text(encoding="utf-8").split("\n")
    pinned = [line for line in lines if re.match(r"[A-Za-z0-9]", line)]
    assert len(pinned) > 10
    for at, line in enumerate(lines):
        if line in pinned:
            assert re.match(r"[A-Za-z0-9._-]+(\[[^]]+\])?==[^ ]+ .*\\$", line), line
            assert "--hash=sha256:" in lines[at + 1], line
