"""What a libvirt daemon answers: the XML of machines, snapshots, checkpoints, pools and volumes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from snapaudit.hypervisors.libvirt import definitions
from snapaudit.hypervisors.libvirt.address import parse_address
from snapaudit.hypervisors.libvirt.collect import files_of
from snapaudit.hypervisors.libvirt.definitions import Swap
from snapaudit.hypervisors.libvirt.files import Files, UnreachableFiles
from snapaudit.hypervisors.libvirt.raw import RawHost
from snapaudit.hypervisors.libvirt.translate import inventory
from snapaudit.hypervisors.libvirt.xml import XmlError
from snapaudit.model.endpoint import Endpoint
from tests.builders import NOW
from tests.fuzz.target import Form, Target
from tests.fuzz.targets.outcome import goes_through
from tests.hypervisors.libvirt.raws import (
    CAPABILITIES,
    disk_xml,
    domain_xml,
    raw_domain,
    raw_host,
    raw_pool,
    snapshot_xml,
    volume_xml,
)

_BETWEEN = b"\n<!-- next -->\n"
_OVERLAY, _BASE = "/vm/web01.s1", "/vm/web01.qcow2"
_ENDPOINT = Endpoint(name="kvm1", kind="libvirt", url="qemu+tls://kvm1.example.org/system")
_CHECKPOINT = (
    "<domaincheckpoint><name>c1</name><parent><name>c0</name></parent><creationTime>1700000000"
    "</creationTime><disks><disk name='vda' checkpoint='bitmap' bitmap='virtnbdbackup.0'/></disks>"
    "</domaincheckpoint>"
)


def _host(data: bytes) -> None:
    """The documents in their order: machine, its next start, pool, volumes, snapshots, the rest."""
    texts = data.decode("utf-8", "replace").split(_BETWEEN.decode())
    machine, later, pool, first, second, one, two, checkpoint, capabilities = (
        texts + [""] * (9 - len(texts))
    )[:9]
    domain = raw_domain("web01", running=True)
    changes: dict[str, Any] = {
        "xml": machine,
        "inactive_xml": later or None,
        "snapshots": [one, two],
        "checkpoints": [checkpoint],
        "current": "s1",
    }
    pools = [{**raw_pool(first, second), "xml": pool}]
    web: Any = {**domain, **changes}
    host: Any = raw_host(web, raw_domain("db01", disk_xml("/vm/db01.qcow2")))
    _told(cast("RawHost", {**host, "pools": pools, "capabilities": capabilities}))


def _told(raw: RawHost) -> None:
    for files in _ways(raw):
        found = inventory(
            raw, files, endpoint=_ENDPOINT, collected_at=NOW, is_local=False, is_verified=True
        )
        goes_through(found)


def _ways(raw: RawHost) -> Iterator[Files]:
    """Images that nobody can look at, and those that the daemon would hand out."""
    yield UnreachableFiles("they are elsewhere")
    client: Any = _NoImages()
    downloading = Endpoint(
        name="kvm1", kind="libvirt", url=_ENDPOINT.url, options={"images": "download"}
    )
    yield files_of(downloading, parse_address(downloading.url), raw, client, lambda: True)


class _NoImages:
    def download(self, *_: object) -> bytes:
        raise OSError(5, "no image")


def _hosts() -> Iterator[bytes]:
    disk = disk_xml(_OVERLAY, _BASE)
    machine = domain_xml("web01", disk, extra="<disk type='file' device='cdrom'/>")
    embedded = machine.replace("<domain type", "<domain  type").replace("<domain  ", "<domain ")
    snapshots = (
        snapshot_xml("s1", overlays={"vda": _OVERLAY}, domain=embedded),
        snapshot_xml("s2", parent="s1", state="running", memory="internal", internal=["vda"]),
    )
    volumes = (volume_xml(_BASE), volume_xml(_OVERLAY, backing=_BASE))
    pool = raw_pool()["xml"]
    parts = (machine, machine, pool, *volumes, *snapshots, _CHECKPOINT, CAPABILITIES)
    yield _BETWEEN.join(one.encode() for one in parts)


def _rewritten(data: bytes) -> None:
    """What is done to a definition when an overlay is merged; the text is the daemon's own."""
    text = data.decode("utf-8", "replace")
    swap = Swap(overlay=_OVERLAY, base=_BASE, base_format="qcow2", is_device=False)
    definitions.names(text, _OVERLAY, str)
    definitions.chain(text, "vda")
    definitions.mirror(text, "vda")
    definitions.tops(definitions.rewritten(text, swap, str), str)


def _definitions() -> Iterator[bytes]:
    disk = disk_xml(_OVERLAY, _BASE, mirror=True)
    machine = domain_xml("web01", disk, disk_xml("/vm/data.raw", target="vdb"))
    yield machine.encode()
    yield snapshot_xml("s1", overlays={"vda": _OVERLAY}, domain=machine).encode()


TARGETS = (
    Target(name="libvirt-host", group="libvirt", run=_host, examples=_hosts, form=Form.XML),
    Target(
        name="libvirt-definition",
        group="libvirt",
        run=_rewritten,
        examples=_definitions,
        form=Form.XML,
        expected=(XmlError,),
    ),
)
