"""Far ends that are servers of our own: a Windows host that speaks WS-Man, and a pool of Xen."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.beds.wsman.estate import Fate
from tests.beds.wsman.host import Site
from tests.beds.wsman.server import Host
from tests.beds.xapi.server import XapiBed
from tests.enforcement.machines import AGED
from tests.faults.network.farend import MACHINE, SNAPSHOT, FarEnd, https
from tests.hypervisors.hyperv.wires import PASSWORD as HOST_PASSWORD
from tests.hypervisors.hyperv.wires import USER as HOST_USER
from tests.hypervisors.xen.office import CHANGING
from tests.hypervisors.xen.visiting import PASSWORD as POOL_PASSWORD


class HypervEnd(FarEnd):
    """A host whose merges take no time to speak of."""

    kind, expected = "hyperv", ("remove",)

    def __init__(self, site: Site, host: Host, ca_file: Path) -> None:
        super().__init__(HOST_PASSWORD)
        self._site, self._host, self._ca_file, self.port = site, host, ca_file, host.port
        self._machine = site.estate.machine(MACHINE)
        self.begin_anew()

    def entry(self, name: str, port: int, *, host: str = "localhost", more: str = "") -> str:
        login = f"username: {HOST_USER}, password: {{env: FAR_PASSWORD}}, transport: ntlm"
        return https(self, name, f"{host}:{port}", login, self._ca_file, more)

    def snapshots(self) -> list[str]:
        return [one.name for one in self._machine.checkpoints.values()]

    def _take(self) -> None:
        self._site.estate.take(self._machine, SNAPSHOT, age=timedelta(seconds=AGED))
        self._site.estate.fates = [Fate(seconds=0.2)]
        self._site.surprise = self._surprise

    def _changes(self) -> list[str]:
        return [run.script for run in self._host.runs if run.script == "remove"]


class XenEnd(FarEnd):
    """A pool; a snapshot goes in two calls, first the record and then its disk."""

    kind, expected = "xen", ("Async.VDI.destroy", "Async.VM.destroy")

    def __init__(self, bed: XapiBed) -> None:
        super().__init__(POOL_PASSWORD)
        self._bed, self.port = bed, bed.port
        self._machine = bed.world.vm(MACHINE)
        bed.office.deeds.collects = True
        self.begin_anew()

    def entry(self, name: str, port: int, *, host: str = "localhost", more: str = "") -> str:
        login = "username: root, password: {env: FAR_PASSWORD}"
        return https(self, name, f"{host}:{port}", login, self._bed.ca_file, more)

    def snapshots(self) -> list[str]:
        records = self._bed.world.db.classes["VM"].values()
        return [str(one["name_label"]) for one in records if one["is_a_snapshot"]]

    def _take(self) -> None:
        self._bed.world.snapshot(self._machine, SNAPSHOT)
        self._bed.office.before["Async.VM.destroy"] = self._surprise

    def _changes(self) -> list[str]:
        return [method for method in self._bed.asked if method in CHANGING]
