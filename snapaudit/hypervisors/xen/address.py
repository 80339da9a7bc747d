"""Where a pool answers: an ``https://`` URL, and the coordinator that a member names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from snapaudit.errors import UsageError
from snapaudit.trust import Connection, Trust

HTTPS = 443
_NAME = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]{0,252}[0-9A-Za-z])?|[0-9A-Fa-f:]{2,39}")


@dataclass(frozen=True, slots=True)
class Address:
    """Host and port; what stands in a URL for them is `netloc`."""

    host: str
    port: int = HTTPS

    @property
    def netloc(self) -> str:
        """Host and port as a URL has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"https://{self.netloc}"

    def connection(self, trust: Trust, seconds: float) -> Connection:
        """Not yet open; it waits so many seconds for each piece of an answer."""
        return Connection(self.host, self.port, trust=trust, seconds=seconds)


def parse_address(url: str) -> Address:
    """``https://host``, with a port where it is not 443. Raises UsageError for anything else."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{url}: {error}") from error
    if parts.scheme != "https" or host is None:
        raise UsageError(f"{url}: a pool is named as https://host of its coordinator")
    if parts.username is not None or parts.password is not None:
        raise UsageError("a password has no place in a url: use `username` and `password`")
    if parts.query or parts.fragment or parts.path not in ("", "/"):
        raise UsageError(f"{url}: nothing may follow the host of a pool")
    return Address(host, port or HTTPS)


def coordinator(told: str, port: int) -> Address | None:
    """The address that a member of a pool names; None when that is no name and no address."""
    bare = told.removeprefix("[").removesuffix("]")
    return Address(bare, port) if _NAME.fullmatch(bare) else None
