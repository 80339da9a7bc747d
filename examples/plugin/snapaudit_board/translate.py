"""From the exported JSON to records: pure functions, and nothing guessed.

What the board does not tell stays None, which rules answer with "undetermined". What cannot be
understood becomes a gap, and then the view is partial: a check of it is never OK.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from snapaudit.errors import Unreachable
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import (
    ByteRange,
    Coverage,
    CoverageState,
    Datastore,
    DiskLayer,
    Gap,
    Host,
    Inventory,
    LayerRole,
    PowerState,
    Snapshot,
    VirtualDisk,
    VirtualMachine,
)

HOST = "board"


def inventory(read: Any, endpoint: Endpoint, now: datetime) -> Inventory:
    """The whole board. Raises HypervisorError where it is not one at all."""
    try:
        board_id, machines, volumes = str(read["board"]), read["machines"], read["volumes"]
    except (KeyError, TypeError) as error:
        raise Unreachable(f"{endpoint.name}: is no board: {error!r} is missing") from error
    gaps: list[Gap] = []
    stores = tuple(_each(volumes, "volume", _datastore, gaps))
    known = {store.id for store in stores}
    found = tuple(_each(machines, "machine", lambda raw: _machine(raw, known), gaps))
    zone = endpoint.options.get("zone")
    return Inventory(
        endpoint=endpoint.name,
        hypervisor=endpoint.kind,
        collected_at=now,
        coverage=_coverage(gaps),
        manager_id=board_id,
        lab=endpoint.lab,
        connection_verified=True,  # a file of this computer
        hosts=(Host(id=HOST, name=HOST, version="1", cluster=str(zone) if zone else None),),
        datastores=stores,
        virtual_machines=found,
        gaps=tuple(gaps),
        blind_spots=("the board does not tell the files of its disks",),
    )


def _each(raws: Any, noun: str, read: Any, gaps: list[Gap]) -> Iterator[Any]:
    """Each of them that can be read; a gap for each that cannot."""
    for number, raw in enumerate(raws, start=1):
        name = raw.get("name", number) if isinstance(raw, dict) else number
        try:
            yield read(raw)
        except (KeyError, TypeError, ValueError) as error:
            gaps.append(Gap(subject=f"{noun} {name}", reason=f"cannot be understood: {error!r}"))


def _coverage(gaps: list[Gap]) -> Coverage:
    if not gaps:
        return Coverage(state=CoverageState.COMPLETE)
    first = f"{gaps[0].subject}: {gaps[0].reason}"
    more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    return Coverage(state=CoverageState.PARTIAL, reason=first + more)


def _datastore(raw: dict[str, Any]) -> Datastore:
    return Datastore(
        id=raw["id"],
        name=raw["name"],
        kind="volume",
        capacity_bytes=raw.get("capacity"),
        free_bytes=raw.get("free"),
        host_ids=(HOST,),
    )


def _machine(raw: dict[str, Any], known: set[str]) -> VirtualMachine:
    volume = raw["volume"] if raw.get("volume") in known else None
    base = DiskLayer(
        path=f"{raw['id']}/disk", datastore_id=volume, size_bytes=None, role=LayerRole.BASE
    )
    disk = VirtualDisk(id="disk", label="disk", capacity_bytes=raw.get("disk"), layers=(base,))
    return VirtualMachine(
        id=raw["id"],
        name=raw["name"],
        host_id=HOST,
        power_state=PowerState(raw.get("power", "unknown")),
        disks=(disk,),
        snapshots=tuple(_snapshot(one) for one in raw.get("snapshots", ())),
    )


def _snapshot(raw: dict[str, Any]) -> Snapshot:
    size = raw.get("bytes")
    basis = "as the board tells" if size is not None else "the board does not tell its size"
    return Snapshot(
        id=raw["id"],
        name=raw["name"],
        description=raw.get("note", ""),
        kind="snapshot",
        created_at=datetime.fromisoformat(raw["taken"]).astimezone(UTC),
        parent_id=raw.get("after"),
        power_state=PowerState.UNKNOWN,
        has_memory=None,
        size_bytes=size,
        pinned_bytes=None,
        reclaimable_bytes=ByteRange(min=0, max=size, basis=basis),
    )
