"""Any vCenter or simulator of one: the one that SNAPAUDIT_VCENTER names, else a plain simulator.

``SNAPAUDIT_VCENTER=https://user:password@127.0.0.1:8989/sdk`` is for releases that no distribution
packages. Snapshots are made and deleted there, on a machine that has none.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests import canaries
from tests.beds.gotools import built

VARIABLE = "SNAPAUDIT_VCENTER"
_SOURCES = Path(__file__).parent / "plainvsphere"
_USER, _PASSWORD = "plain", canaries.PLAIN_VCENTER


@dataclass(frozen=True)
class AnyVcenter:
    """Where it is, who may log in, and the SHA-256 of the certificate that it shows."""

    url: str
    username: str
    password: str

    @property
    def fingerprint(self) -> str:
        parts = urlsplit(self.url)
        shown = ssl.get_server_certificate((parts.hostname or "", parts.port or 443))
        return "sha256:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest()


@contextmanager
def any_vcenter() -> Iterator[AnyVcenter]:
    """The one that is named, or a plain simulator for as long as the block."""
    named = os.environ.get(VARIABLE)
    if named:
        yield _named(named)
        return
    process = subprocess.Popen(
        [str(built(_SOURCES)), _USER, _PASSWORD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield AnyVcenter(process.stdout.readline().strip(), _USER, _PASSWORD)
    finally:
        process.communicate(timeout=20)


def _named(url: str) -> AnyVcenter:
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return AnyVcenter(bare, unquote(parts.username or ""), unquote(parts.password or ""))
