"""A far end for each platform."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.beds import certificates
from tests.beds.libvirtd import LibvirtBed
from tests.beds.rpcline import RpcLine
from tests.beds.simulator import Simulator
from tests.beds.soapline import SoapLine
from tests.beds.wsman.estate import Estate
from tests.beds.wsman.host import Site
from tests.beds.wsman.papers import papers
from tests.beds.wsman.server import Host
from tests.beds.xapi.server import XapiBed
from tests.faults.network.farend import FarEnd
from tests.faults.network.ours import HypervEnd, XenEnd
from tests.faults.network.theirs import LibvirtEnd, VsphereEnd


@contextmanager
def far_end(platform: str, folder: Path) -> Iterator[FarEnd]:
    """A server of that platform with nothing else on it; ``libvirt-tcp`` is libvirt in the clear.

    ``folder`` is there, and gets what files the server needs.
    """
    match platform:
        case "libvirt" | "libvirt-tcp":
            with LibvirtBed() as bed, RpcLine(bed.daemon.port, certificates.for_loopback()) as line:
                yield LibvirtEnd(bed, line, tls=platform == "libvirt")
        case "vsphere":
            with Simulator() as simulator, SoapLine(simulator) as soap:
                yield VsphereEnd(simulator, soap)
        case "hyperv":
            site, shown = Site(Estate(lambda: datetime.now(UTC))), papers(folder / "papers")
            with Host(site.node("HV1").respond, tls=shown.context()) as host:
                yield HypervEnd(site, host, shown.ca_file)
            site.sound()
        case "xen":
            with XapiBed(folder) as xapi:
                yield XenEnd(xapi)
        case _:
            raise ValueError(platform)
