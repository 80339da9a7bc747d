"""Far ends that run what others wrote: libvirt with QEMU, and the simulator of vSphere."""

from __future__ import annotations

from tests.beds import certificates
from tests.beds.guests import Life
from tests.beds.libvirtd import MIB, LibvirtBed
from tests.beds.rpc import RpcCounts
from tests.beds.rpcline import RpcLine
from tests.beds.simulator import Simulator
from tests.beds.soapline import SoapLine
from tests.builders import GIB
from tests.enforcement.machines import AGED, Machine
from tests.enforcement.test_acting import LOOKING_UP
from tests.faults.network.farend import MACHINE, SNAPSHOT, FarEnd, https
from tests.hypervisors.libvirt.test_wire import READING

DELETE = 193  # "domain snapshot delete" of libvirt's remote protocol


class LibvirtEnd(FarEnd):
    """A real libvirtd. Without ``tls`` its own port is spoken to, and read from alone."""

    kind, expected = "libvirt", (str(DELETE),)

    def __init__(self, bed: LibvirtBed, line: RpcLine, *, tls: bool) -> None:
        super().__init__()
        self._line, self._tls = line, tls
        self.port = line.port if tls else bed.daemon.port
        line.before = self._hears
        self._machine = _machine(bed)
        self.begin_anew()

    def entry(self, name: str, port: int, *, host: str = "localhost", more: str = "") -> str:
        way = f"tls://{host}:{port}" if self._tls else f"tcp://{host}:{port}"
        pki = f"?pkipath={certificates.for_loopback()}" if self._tls else ""
        return f"{{name: {name}, kind: libvirt, url: 'qemu+{way}/session{pki}'{more}}}"

    def snapshots(self) -> list[str]:
        return [one.getName() for one in self._machine.domain.listAllSnapshots()]

    def _take(self) -> None:
        self._machine.take(SNAPSHOT)

    def _changes(self) -> list[str]:
        return _changing(self._line.counts)

    def _hears(self, _: RpcCounts) -> None:
        if self.heard:
            self._surprise()


def _machine(bed: LibvirtBed) -> Machine:
    folder = bed.pool(MACHINE)
    disk = bed.create_image(folder / f"{MACHINE}.qcow2", size_bytes=16 * MIB)
    bed.write_offline(disk, 0, 2 * MIB)
    bed.rw.storagePoolLookupByName(MACHINE).refresh()
    return Machine(bed, bed.define_vm(MACHINE, [disk], life=Life.OFF), folder)


def _changing(counts: RpcCounts) -> list[str]:
    harmless = READING.keys() | LOOKING_UP.keys()
    found = {one: n for one, n in counts.procedures().items() if one not in harmless}
    return [str(procedure) for procedure, count in found.items() for _ in range(count)]


class VsphereEnd(FarEnd):
    """govmomi's simulator."""

    kind, expected = "vsphere", ("RemoveSnapshot_Task",)

    def __init__(self, simulator: Simulator, line: SoapLine) -> None:
        super().__init__(simulator.password)
        self._simulator, self._line, self.port = simulator, line, line.port
        line.when_changing = self._surprise
        simulator.tell("machine", name=MACHINE)
        self.begin_anew()

    def entry(self, name: str, port: int, *, host: str = "localhost", more: str = "") -> str:
        login = f"username: {self._simulator.username}, password: {{env: FAR_PASSWORD}}"
        return https(self, name, f"{host}:{port}/sdk", login, self._line.ca_file, more)

    def snapshots(self) -> list[str]:
        return [one["name"] for one in self._simulator.tell("look", vm=MACHINE)["snapshots"]]

    def _take(self) -> None:
        self._simulator.tell("snapshot", vm=MACHINE, name=SNAPSHOT, age=AGED, written=GIB)

    def _changes(self) -> list[str]:
        return [call.method for call in self._line.counts.changes]
