"""Where a vCenter or ESXi host is, read off the endpoint's URL."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from snapaudit.errors import UsageError
from snapaudit.trust import Connection, Trust

_PORT = 443
_PATH = "/sdk"
_FORM = "write it like https://vcenter.example.org or https://vcenter.example.org:8443/sdk"


@dataclass(frozen=True, slots=True)
class Address:
    """Host and port without brackets or scheme; ``path`` is where the SOAP service listens."""

    host: str
    port: int = _PORT
    path: str = _PATH

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}" + ("" if self.port == _PORT else f":{self.port}")

    def connection(self, trust: Trust, seconds: float) -> Connection:
        """Not yet open; it waits so many seconds for each piece of an answer."""
        return Connection(self.host, self.port, trust=trust, seconds=seconds)


def parse_address(url: str) -> Address:
    """``https://host[:port][/sdk]``; UsageError, which never repeats a password, otherwise."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"the endpoint's URL is no address of a vCenter: {_FORM}") from error
    if parts.scheme != "https" or not host or port == 0:
        raise UsageError(f"{_bare(url)!r} is no address of a vCenter or ESXi host: {_FORM}")
    if "@" in parts.netloc:
        raise UsageError(f"the account stands under username:, not in the URL: {_FORM}")
    if parts.path.rstrip("/") not in ("", _PATH) or parts.query or parts.fragment:
        raise UsageError(f"{_bare(url)!r}: nothing but {_PATH} may follow the host; {_FORM}")
    return Address(host, port or _PORT)


def _bare(url: str) -> str:
    before, at, after = url.rpartition("@")
    return after if at else before + after
