"""Reads one libvirt endpoint: connect, read everything, look at the images, translate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import datetime

from snapaudit.errors import UsageError
from snapaudit.hypervisors.libvirt.address import Address, parse_address
from snapaudit.hypervisors.libvirt.client import Client
from snapaudit.hypervisors.libvirt.examine import examine, peer_of
from snapaudit.hypervisors.libvirt.files import (
    DownloadedFiles,
    Files,
    LocalFiles,
    UnreachableFiles,
)
from snapaudit.hypervisors.libvirt.raw import RawHost
from snapaudit.hypervisors.libvirt.settings import settings
from snapaudit.hypervisors.libvirt.storage_xml import volume
from snapaudit.hypervisors.libvirt.translate import inventory
from snapaudit.hypervisors.libvirt.xml import XmlError
from snapaudit.model.acting import Abilities, MergeOrder
from snapaudit.model.endpoint import Endpoint, Tls
from snapaudit.model.examination import Peer, Probe
from snapaudit.model.inventory import Inventory
from snapaudit.model.policy import Remedy
from snapaudit.ports import Actuator, Progress, Step

# Of the endpoint's deadline; the rest is for one image that is under way, and for translating.
_SHARE_FOR_IMAGES = 0.7
IMAGES = ("auto", "download", "never")
OPTIONS = {
    "refresh_pools": "true: let libvirt re-read its storage pools first (a writable connection)",
    "images": "auto (local files), download (through the pool, a writable connection) or never",
    "merge": "auto, native (libvirt's own deletion only) or manual (block jobs and qemu-img)",
    "merge_rate": "the most that a manual merge copies a second, like 100MiB; unlimited by default",
    "manual_from": "overlays of this size and more are merged manually; 10GiB by default",
}


class LibvirtHypervisor:
    """KVM, QEMU and whatever else libvirt drives."""

    @property
    def kind(self) -> str:
        """The word in the configuration."""
        return "libvirt"

    @property
    def options(self) -> Mapping[str, str]:
        """What only libvirt endpoints know."""
        return OPTIONS

    @property
    def late_modules(self) -> tuple[str, ...]:
        """The SDK."""
        return ("libvirt",)

    @property
    def abilities(self) -> Abilities:
        """Snapshots and unexplained deltas, each from the end of the chain towards its base."""
        return Abilities(
            supports=frozenset(Remedy),
            order=MergeOrder.LEAF_FIRST,
            own_traces=frozenset(
                {"busy", "no-data", "own-branch", "broken-chain", "unknown-chain"}
            ),
        )

    def actuator(self, endpoint: Endpoint, password: str | None) -> Actuator:
        """A writable connection. What can change things is not even loaded before."""
        _refuse_tls_settings(endpoint)
        from snapaudit.hypervisors.libvirt.act import LibvirtActuator

        return LibvirtActuator(endpoint, password)

    def peer(self, endpoint: Endpoint) -> Peer | None:
        """The daemon's port, where libvirt itself connects to one."""
        return peer_of(parse_address(endpoint.url))

    def examine(
        self, endpoint: Endpoint, password: str | None, enforcing: str | None, now: datetime
    ) -> Iterator[Probe]:
        """Connect to read, and as the account that may change things where there is one."""
        del now  # libvirt tells no clock to compare it with
        _refuse_tls_settings(endpoint)
        return examine(endpoint, password, enforcing)

    def collect(
        self, endpoint: Endpoint, password: str | None, now: datetime, progress: Progress
    ) -> Inventory:
        """Read the host. See the port's promise; nothing is changed but for ``refresh_pools``."""
        address = parse_address(endpoint.url)
        _refuse_tls_settings(endpoint)
        images = _images_option(endpoint)
        settings(endpoint)
        refresh = bool(endpoint.options.get("refresh_pools", False))
        client = Client(endpoint.name, endpoint.url, writable=refresh or images == "download")
        until = time.monotonic() + endpoint.deadline.total_seconds() * _SHARE_FOR_IMAGES
        progress(Step(endpoint=endpoint.name, phase="connecting"))
        client.connect(endpoint.account.username, password)
        with closing(client):

            def seen(done: int, total: int) -> None:
                progress(Step(endpoint=endpoint.name, phase="reading", seen=done, total=total))

            raw = client.read(refresh_pools=refresh, seen=seen)
            progress(Step(endpoint=endpoint.name, phase="measuring", seen=len(raw["domains"])))
            is_local = address.is_test_driver or address.shares_files_with_us(raw["hostname"])
            return inventory(
                raw,
                files_of(endpoint, address, raw, client, lambda: time.monotonic() < until),
                endpoint=endpoint,
                collected_at=now,
                is_local=is_local,
                is_verified=address.is_verified,
            )


def _refuse_tls_settings(endpoint: Endpoint) -> None:
    """The client library verifies the peer itself, by certificates in a folder the URI names."""
    if endpoint.tls != Tls():
        raise UsageError(
            f"endpoint {endpoint.name}: libvirt takes no `tls:` settings; name the folder that has "
            "cacert.pem in the URI: qemu+tls://host/system?pkipath=/etc/pki/site"
        )


def _lengths(raw: RawHost) -> dict[str, int]:
    """By path. A volume whose XML cannot be read becomes a gap when the host is understood."""
    found: dict[str, int] = {}
    for text in (text for pool in raw["pools"] for text in pool["volumes"]):
        with suppress(XmlError):
            item = volume(text)
            if item.length_bytes is not None:
                found[item.path] = item.length_bytes
    return found


def _images_option(endpoint: Endpoint) -> str:
    chosen = str(endpoint.options.get("images", "auto"))
    if chosen not in IMAGES:
        known = ", ".join(IMAGES)
        raise UsageError(f"endpoint {endpoint.name}: images: {chosen!r} is none of {known}")
    return chosen


def files_of(
    endpoint: Endpoint,
    address: Address,
    raw: RawHost,
    client: Client,
    has_time: Callable[[], bool],
) -> Files:
    """The images behind a daemon, as far as endpoint and address let them be read."""
    images = _images_option(endpoint)
    if images == "never":
        return UnreachableFiles("the endpoint says images: never")
    if images == "download":
        return DownloadedFiles(client.download, _lengths(raw), has_time)
    if address.is_test_driver:
        return UnreachableFiles("libvirt's test driver has no image files")
    if address.shares_files_with_us(raw["hostname"]):
        return LocalFiles(has_time)
    return UnreachableFiles(
        "they are files of another machine; images: download reads them through the storage pool"
    )
