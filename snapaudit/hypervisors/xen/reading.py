"""Reads a pool by seven bulk calls, or one machine with all that may stand on its disks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from snapaudit.errors import Gone, HypervisorError, Unreachable
from snapaudit.hypervisors.xen import places, reads, records, values
from snapaudit.hypervisors.xen.failures import METHOD_UNKNOWN, Said
from snapaudit.hypervisors.xen.places import PoolRecord
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.records import ScheduleRecord, VbdRecord, VdiRecord, VmRecord
from snapaudit.model.inventory import Gap

Record = TypeVar("Record")
Seen = Callable[[str, int], None]
"""Told which class is being read, and how many records were read so far."""

_RESOLUTION = 2.0
_UUID = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)


class Reader(Protocol):
    """What reading asks of a session."""

    @property
    def where(self) -> str:
        """The endpoint and its address, for messages."""
        ...

    def ask(self, method: str, *params: object) -> Any:
        """What a call returns."""
        ...

    def rows(self, name: str, where: str | None = None) -> Iterable[tuple[str, Any]]:
        """The records of a class."""
        ...


def read_pool(client: Reader, seen: Seen) -> Pool:
    """The whole pool. What one record lacks becomes a Gap; raises HypervisorError for the rest.

    The calls are made one after the other while the pool goes on, so what refers to something that
    is not there is read once more.
    """
    gaps: list[Gap] = []
    take = _Taking(client, gaps, seen)
    frame = _frame(take)
    vms, vbds, vdis = take.machines()
    loose = _unresolved(vms, vbds, vdis)
    if loose:
        gaps[:] = take.without_machines(gaps)
        vms, vbds, vdis = take.machines()
        gaps.extend(_changing(_unresolved(vms, vbds, vdis) - loose))
    return Pool(
        **frame,
        vms=vms,
        vbds=vbds,
        vdis=vdis,
        schedules=_schedules(client, vms),
        gaps=tuple(gaps),
    )


def read_machine(client: Reader, uuid: str) -> Pool:
    """One machine with its snapshots, and every image of the storage its disks lie in.

    A machine that is gone is not in it; the pool's own records still are.
    """
    gaps: list[Gap] = []
    take = _Taking(client, gaps, lambda _name, _count: None)
    frame = _frame(take)
    vms = _family(take, uuid)
    vbds = take.some("VBD", records.vbd, "VM", list(vms))
    vdis = _images(take, vms, vbds)
    users = {ref for vdi in vdis.values() for ref in vdi.vbds if _is_of(vdi, vbds)} - vbds.keys()
    for ref in sorted(users):
        vbds |= take.one("VBD", records.vbd, ref)
    for use in list(vbds.values()):
        if use.vm is not None and use.vm not in vms:
            vms |= take.one("VM", records.vm, use.vm)
    return Pool(
        **frame,
        vms=vms,
        vbds=vbds,
        vdis=vdis,
        schedules=_schedules(client, vms),
        gaps=tuple(gaps),
        only=uuid,
    )


def _is_of(vdi: VdiRecord, vbds: Mapping[str, VbdRecord]) -> bool:
    return any(ref in vbds for ref in vdi.vbds)


def _family(take: _Taking, uuid: str) -> dict[str, VmRecord]:
    """Asked for by a query, which shows it when an id that should be one machine's is two's."""
    if not _UUID.fullmatch(uuid):
        return {}
    found = take.all("VM", records.vm, f'field "uuid"="{uuid}"')
    return found | take.some("VM", records.vm, "snapshot_of", list(found))


def _images(
    take: _Taking, vms: Mapping[str, VmRecord], vbds: Mapping[str, VbdRecord]
) -> dict[str, VdiRecord]:
    """All images of each storage repository that an image of the machine lies in."""
    wanted = {use.vdi for use in vbds.values() if use.is_disk}
    wanted |= {vm.suspend_vdi for vm in vms.values()}
    found: dict[str, VdiRecord] = {}
    read: set[str | None] = set()
    for ref in sorted(each for each in wanted if each is not None):
        own = {} if ref in found else take.one("VDI", records.vdi, ref)
        for sr in {vdi.sr for vdi in own.values()} - read - {None}:
            found |= take.some("VDI", records.vdi, "SR", [str(sr)])
            read.add(sr)
        found = own | found
    return found


class _Taking:
    """Takes records off a session; what cannot be understood becomes a Gap."""

    def __init__(self, client: Reader, gaps: list[Gap], seen: Seen) -> None:
        self.client, self._gaps, self._seen = client, gaps, seen

    def all(
        self, name: str, make: Callable[[str, Any], Record], where: str | None = None
    ) -> dict[str, Record]:
        """The records of a class by their references."""
        found: dict[str, Record] = {}
        self._seen(name, 0)
        for ref, raw in self.client.rows(name, where):
            try:
                found[ref] = make(ref, raw)
            except (ValueError, AttributeError) as error:
                self._gaps.append(Gap(subject=f"{name} {ref}", reason=str(error)))
        self._seen(name, len(found))
        return found

    def some(
        self, name: str, make: Callable[[str, Any], Record], field: str, refs: list[str]
    ) -> dict[str, Record]:
        """Those whose field is one of these references."""
        if not refs:
            return {}
        query = " or ".join(f'field "{field}"="{ref}"' for ref in refs)
        return self.all(name, make, query)

    def one(self, name: str, make: Callable[[str, Any], Record], ref: str) -> dict[str, Record]:
        """A single one; nothing when it is gone."""
        try:
            raw = self.client.ask(f"{name}.get_record", ref)
        except Gone:
            return {}
        try:
            return {ref: make(ref, raw)}
        except (ValueError, AttributeError) as error:
            self._gaps.append(Gap(subject=f"{name} {ref}", reason=str(error)))
            return {}

    def machines(self) -> tuple[dict[str, VmRecord], dict[str, VbdRecord], dict[str, VdiRecord]]:
        """The three large classes, those first that refer to the others."""
        vms = self.all("VM", records.vm)
        vbds = self.all("VBD", records.vbd)
        return vms, vbds, self.all("VDI", records.vdi)

    def without_machines(self, gaps: Iterable[Gap]) -> list[Gap]:
        """The gaps of the small classes."""
        return [gap for gap in gaps if gap.subject.split()[0] not in ("VM", "VBD", "VDI")]


def _frame(take: _Taking) -> dict[str, Any]:
    pools = take.all("pool", places.pool)
    if len(pools) != 1:
        raise Unreachable(f"{take.client.where}: tells of {len(pools)} pools and not of one")
    record = next(iter(pools.values()))
    return {
        "record": record,
        "hosts": take.all("host", places.host),
        "srs": take.all("SR", places.sr),
        "pbds": take.all("PBD", places.pbd),
        "skew": _skew(take.client, record),
    }


def _skew(client: Reader, record: PoolRecord) -> float | None:
    """The coordinator's clock minus ours. It tells whole seconds, so less than two are none."""
    if record.master is None:
        return None
    began, started = datetime.now(UTC), time.monotonic()
    told = values.moment(client.ask(reads.CLOCK, record.master))
    if told is None:
        return None
    half = (time.monotonic() - started) / 2
    skew = (told - began).total_seconds() - half
    return 0.0 if abs(skew) < _RESOLUTION else float(round(skew))


def _unresolved(
    vms: Mapping[str, VmRecord], vbds: Mapping[str, VbdRecord], vdis: Mapping[str, VdiRecord]
) -> set[str]:
    """References from one class to a record of another that was not read."""
    found = {ref for vm in vms.values() for ref in vm.vbds if ref not in vbds}
    found |= {use.vdi for use in vbds.values() if use.vdi and use.vdi not in vdis}
    return found | {
        vm.suspend_vdi for vm in vms.values() if vm.suspend_vdi and vm.suspend_vdi not in vdis
    }


def _changing(refs: set[str]) -> Iterable[Gap]:
    if refs:
        reason = f"changed while it was read, twice ({len(refs)} references lead nowhere)"
        yield Gap(subject="the pool", reason=reason)


def _schedules(client: Reader, vms: Mapping[str, VmRecord]) -> Mapping[str, ScheduleRecord] | None:
    """Only where a snapshot says that a schedule made it. Servers without the class have none."""
    if not any(vm.is_scheduled or vm.schedule for vm in vms.values()):
        return {}
    try:
        return {ref: records.schedule(ref, raw) for ref, raw in client.rows("VMSS")}
    except Said as error:
        return {} if error.code == METHOD_UNKNOWN else None
    except HypervisorError:
        return None
