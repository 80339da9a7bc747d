"""Throw-away certificates: an authority, and a server's certificate that it signed."""

from __future__ import annotations

import subprocess
import time
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from tests.beds.kept import alone, forget_older, kept
from tests.beds.required import require_program

_DAYS = "2"
_DAY = 24 * 3600


def authority(folder: Path) -> Path:
    """A new authority: ``cacert.pem`` and its key in the folder, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    _openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", _DAYS,
        "-subj", "/CN=test authority", "-addext", "basicConstraints=critical,CA:TRUE",
        "-keyout", str(folder / "cakey.pem"), "-out", str(folder / "cacert.pem"),
    )  # fmt: skip
    return folder


@cache
def for_loopback() -> Path:
    """An authority's folder with a server's certificate for this machine, made anew every day."""
    folder = kept() / f"loopback-{int(time.time() // _DAY)}"
    with alone("loopback"):
        if not folder.is_dir():
            fresh = authority(folder.with_suffix(".new"))
            server(fresh, "localhost", "127.0.0.1")
            fresh.replace(folder)
            forget_older("loopback-*")
    return folder


def server(folder: Path, *names: str) -> None:
    """``servercert.pem`` and ``serverkey.pem`` for these hosts or addresses, by the authority."""
    request, extension = folder / "request.pem", folder / "extension"
    extension.write_text("subjectAltName=" + ",".join(_named(name) for name in names) + "\n")
    _openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={names[0]}",
        "-keyout", str(folder / "serverkey.pem"), "-out", str(request),
    )  # fmt: skip
    _openssl(
        "x509", "-req", "-in", str(request), "-days", _DAYS, "-extfile", str(extension),
        "-CA", str(folder / "cacert.pem"), "-CAkey", str(folder / "cakey.pem"), "-CAcreateserial",
        "-out", str(folder / "servercert.pem"),
    )  # fmt: skip


def _named(name: str) -> str:
    try:
        return f"IP:{ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


def _openssl(*words: str) -> None:
    subprocess.run([require_program("openssl"), *words], check=True, capture_output=True)
