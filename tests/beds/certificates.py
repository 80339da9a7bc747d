"""Throw-away certificates: an authority, and a server's certificate that it signed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.beds.required import require_program

_DAYS = "2"


def authority(folder: Path) -> Path:
    """A new authority: ``cacert.pem`` and its key in the folder, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    _openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", _DAYS,
        "-subj", "/CN=test authority", "-addext", "basicConstraints=critical,CA:TRUE",
        "-keyout", str(folder / "cakey.pem"), "-out", str(folder / "cacert.pem"),
    )  # fmt: skip
    return folder


def server(folder: Path, *names: str) -> None:
    """``servercert.pem`` and ``serverkey.pem`` for hosts of these names, by the authority there."""
    request, extension = folder / "request.pem", folder / "extension"
    extension.write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names) + "\n")
    _openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={names[0]}",
        "-keyout", str(folder / "serverkey.pem"), "-out", str(request),
    )  # fmt: skip
    _openssl(
        "x509", "-req", "-in", str(request), "-days", _DAYS, "-extfile", str(extension),
        "-CA", str(folder / "cacert.pem"), "-CAkey", str(folder / "cakey.pem"), "-CAcreateserial",
        "-out", str(folder / "servercert.pem"),
    )  # fmt: skip


def _openssl(*words: str) -> None:
    subprocess.run([require_program("openssl"), *words], check=True, capture_output=True)
