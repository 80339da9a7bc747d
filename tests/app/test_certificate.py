"""How long a certificate is valid, held against what openssl says of it."""

from __future__ import annotations

import ssl
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapaudit.app.certificate import not_after
from tests.beds.required import require_program


def made(folder: Path, days: int) -> Path:
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", "/CN=x"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([require_program("openssl"), *words, *files], check=True, capture_output=True)
    return folder / "cert.pem"


def end_by_openssl(path: Path) -> datetime:
    command = [require_program("openssl"), "x509", "-in", str(path), "-noout", "-enddate"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    words = told.removeprefix("notAfter=")
    return datetime.strptime(words, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)


@pytest.mark.bed
@pytest.mark.parametrize("days", [1, 400, 12_000])
def test_end_is_read_in_either_form_of_time(tmp_path: Path, days: int) -> None:
    path = made(tmp_path, days)
    der = ssl.PEM_cert_to_DER_cert(path.read_text())
    assert not_after(der) == end_by_openssl(path)


@pytest.mark.bed
def test_certificate_that_is_cut_tells_no_end(tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(made(tmp_path, 1).read_text())
    assert {not_after(der[:length]) for length in range(len(der))} == {None}


@given(st.binary(max_size=64))
def test_what_is_no_certificate_tells_no_end(der: bytes) -> None:
    assert not_after(der) is None
