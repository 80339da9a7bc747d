"""Reading 200 machines with five snapshots each, against a loop that asks for one thing at a time.

Real libvirtd with the QEMU driver; all machines are off. Once through its unix socket, once through
a proxy that delays every message by 4 milliseconds each way.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from snapaudit.hypervisors.libvirt import LIBVIRT
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from tests.beds.libvirtd import LibvirtBed
from tests.beds.line import Line
from tests.beds.proxy import Proxy

MACHINES, SNAPSHOTS = 200, 5
DELAY = 0.004
ROUNDS = 3


def stage(bed: LibvirtBed) -> None:
    """Define the machines, each with an image of its own and a line of internal snapshots."""
    pool = bed.pool()
    first = bed.create_image(pool / "vm000.qcow2")
    for number in range(MACHINES):
        image = pool / f"vm{number:03}.qcow2"
        if image != first:
            shutil.copy2(first, image)
        domain = bed.define_vm(f"vm{number:03}", [image]).domain
        for at in range(SNAPSHOTS):
            flags = bed.sdk.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
            domain.snapshotCreateXML(_snapshot(domain, at), flags)
    bed.daemon.account.own(pool)
    bed.rw.storagePoolLookupByName("images").refresh()


def _snapshot(domain: Any, at: int) -> str:
    parent = f"<parent><name>s{at - 1}</name></parent>" if at else ""
    return (
        f"<domainsnapshot><name>s{at}</name><state>shutoff</state>{parent}"
        f"<creationTime>{1_700_000_000 + at * 86_400}</creationTime><memory snapshot='no'/>"
        f"<disks><disk name='vda' snapshot='internal'/></disks>{domain.XMLDesc()}</domainsnapshot>"
    )


def ours(uri: str) -> Inventory:
    """The whole collection, translation included."""
    endpoint = Endpoint(name="bench", kind="libvirt", url=uri)
    return LIBVIRT.collect(endpoint, None, datetime.now(UTC), lambda _: None)


def one_by_one(sdk: Any, uri: str) -> int:
    """What a script written after the API's reference does; the number of snapshots."""
    connection = sdk.openReadOnly(uri)
    seen = 0
    for domain in connection.listAllDomains():
        domain.info()
        domain.blockInfo("vda")
        domain.hasManagedSaveImage()
        domain.hasCurrentSnapshot()
        for name in domain.snapshotListNames():
            snapshot = domain.snapshotLookupByName(name)
            snapshot.getXMLDesc()
            snapshot.isCurrent()
            snapshot.numChildren()
            snapshot.hasMetadata()
            with suppress(sdk.libvirtError):
                snapshot.getParent()
            seen += 1
        volume = connection.storageVolLookupByPath(_image(domain.XMLDesc()))
        volume.info()
        volume.XMLDesc()
    connection.close()
    return seen


def _image(xml: str) -> str:
    source = ElementTree.fromstring(xml).find("devices/disk/source")
    return source.get("file", "") if source is not None else ""


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _best(work: Callable[[], object]) -> float:
    return min(_timed(work) for _ in range(ROUNDS))


def _row(way: str, ours_took: float, theirs_took: float, calls: tuple[int, int] | None) -> None:
    counted = f"   calls {calls[0]} / {calls[1]}" if calls else ""
    ratio = theirs_took / ours_took
    print(f"{way:<16} {ours_took:7.2f} s   {theirs_took:7.2f} s   {ratio:5.1f} times{counted}")


def run() -> None:
    """Print the table: ours, one by one, and how many times faster."""
    with LibvirtBed() as bed:
        stage(bed)
        found = ours(bed.uri)
        assert sum(len(vm.snapshots) for vm in found.virtual_machines) == MACHINES * SNAPSHOTS
        print(f"{'':<16} {'ours':>9}   {'one by one':>9}")
        _row(
            "unix socket",
            _best(lambda: ours(bed.uri)),
            _best(lambda: one_by_one(bed.sdk, bed.uri)),
            None,
        )
        with Proxy(bed.daemon.port, Line(delay=DELAY)) as proxy:
            uri = bed.tcp_uri(proxy.port)
            ours_took = _best(lambda: ours(uri))
            our_calls = proxy.counts.total // ROUNDS
            proxy.counts.clear()
            theirs_took = _timed(lambda: one_by_one(bed.sdk, uri))
            _row("8 ms a call", ours_took, theirs_took, (our_calls, proxy.counts.total))


if __name__ == "__main__":
    run()
