"""Where a Windows host listens for WinRM, read off the endpoint's URL."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from snapaudit.errors import HypervisorError, UsageError

PATH = "/wsman"
_PORTS = {"http": 5985, "https": 5986}
_FORM = "write it like https://hv1.example.org or https://hv1.example.org:5986/wsman"
_NODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """Host and port without brackets or scheme; ``path`` is where the service listens."""

    host: str
    port: int
    is_tls: bool
    path: str = PATH

    @property
    def url(self) -> str:
        """The whole URL: a client library that completes one itself takes the wrong port."""
        return f"{self._scheme}://{self._bracketed}:{self.port}{self.path}"

    def __str__(self) -> str:
        port = "" if self.port == _PORTS[self._scheme] else f":{self.port}"
        return f"{self._scheme}://{self._bracketed}{port}"

    @property
    def is_name(self) -> bool:
        """Whether the host is written as a name, which Kerberos needs."""
        return _is_name(self.host)

    @property
    def _scheme(self) -> str:
        return "https" if self.is_tls else "http"

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    def of_node(self, name: str) -> Address:
        """The same service on another node of the cluster, in the same domain.

        The name was told by a host, and our login goes where it leads: one outside the domain of
        the endpoint's own address raises HypervisorError.
        """
        domain = self.host.partition(".")[2].lower() if self.is_name else ""
        short, _, rest = name.partition(".")
        if not _NODE.fullmatch(name) or (rest and rest.lower() != domain) or not _is_name(name):
            raise HypervisorError(
                f"{self}: it names {name[:80]!a} as a node of its cluster, which is no host "
                f"of the same domain: name the nodes under nodes:"
            )
        return replace(self, host=f"{short}.{domain}" if domain else short)


def _is_name(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return False


def parse_address(url: str) -> Address:
    """``http[s]://host[:port][/wsman]``; UsageError, which never repeats a password, otherwise."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"the endpoint's URL is no address of a Windows host: {_FORM}") from error
    if parts.scheme not in _PORTS or not host or port == 0 or _has_blanks(url):
        raise UsageError(f"{_bare(url)!r} is no address of a Windows host: {_FORM}")
    if "@" in parts.netloc:
        raise UsageError(f"the account stands under username:, not in the URL: {_FORM}")
    if parts.query or parts.fragment:
        raise UsageError(f"{_bare(url)!r}: nothing may follow the path; {_FORM}")
    path = parts.path.rstrip("/") or PATH
    return Address(host, port or _PORTS[parts.scheme], parts.scheme == "https", path)


def _has_blanks(url: str) -> bool:
    return any(letter.isspace() or not letter.isprintable() for letter in url)


def _bare(url: str) -> str:
    before, at, after = url.rpartition("@")
    return after if at else before + after
