"""What a libvirt URI says about the other side. Source: libvirt's page on connection URIs."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from snapaudit.errors import UsageError


@dataclass(frozen=True, slots=True)
class Address:
    """A connection URI in its parts."""

    url: str
    driver: str
    transport: str | None
    host: str | None

    @property
    def is_test_driver(self) -> bool:
        """Libvirt's own test driver: machines and files that exist in its memory only."""
        return self.driver == "test"

    @property
    def is_verified(self) -> bool:
        """Whether the other side proved who it is, and nobody on the way can read along.

        ``no_verify=1`` in the URI switches off the check of certificates and host keys.
        """
        trusts_anybody = "no_verify=1" in urlsplit(self.url).query.split("&")
        return self.transport != "tcp" and not trusts_anybody

    def shares_files_with_us(self, hostname: str | None) -> bool:
        """Whether the images of that daemon are files of this machine.

        A socket may be forwarded from elsewhere, so the daemon has to give this machine's own name.
        """
        ours = {socket.gethostname(), socket.getfqdn()}
        return not self.is_test_driver and not self.host and hostname in ours


def parse_address(url: str) -> Address:
    """``driver[+transport]://[user@][host][:port]/path[?parameters]``; UsageError otherwise."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as error:
        raise UsageError(f"{url!r} is no libvirt URI: {error}") from error
    driver, _, transport = parts.scheme.partition("+")
    if not driver:
        example = "qemu:///system or qemu+ssh://user@host/system"
        raise UsageError(f"{url!r} is no libvirt URI; write it like {example}")
    return Address(url, driver, transport or None, host)
