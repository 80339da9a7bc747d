"""Scenes: what a fact may look at, one record for each kind of subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from snapaudit.model.exemption import Exemption
from snapaudit.model.finding import Subject
from snapaudit.model.inventory import Datastore, Host, Inventory, Snapshot, VirtualMachine
from snapaudit.model.past import Forecast, Growth
from snapaudit.model.policy import SubjectKind
from snapaudit.rules.purposes.expiry import Expiry
from snapaudit.rules.purposes.reading import Reading
from snapaudit.rules.quantity import Unknown


def unread_of(inventory: Inventory) -> frozenset[str]:
    """The kinds of things about machines that could not be read, or not all of them: ``tags``."""
    gaps = {gap.subject for gap in inventory.gaps}
    # "tags of machines: why"; what is told of things of a kind begins with the kind.
    return frozenset(gaps | {spot.partition(" of ")[0] for spot in inventory.blind_spots})


@dataclass(frozen=True, slots=True, eq=False)
class EndpointScene:
    """One endpoint; ``now`` is the moment of the audit by the endpoint's own clock.

    ``hosts`` and ``datastores`` by id. ``unread`` are the kinds of things about machines that could
    not be read, or not all of them: ``tags``.
    """

    inventory: Inventory
    now: datetime
    hosts: Mapping[str, Host]
    datastores: Mapping[str, Datastore]
    unread: frozenset[str]

    @property
    def subject(self) -> Subject:
        """What a finding about the endpoint names."""
        name = self.inventory.endpoint
        return Subject(kind=SubjectKind.ENDPOINT, endpoint=name, id=name, name=name)


@dataclass(frozen=True, slots=True, eq=False)
class DatastoreScene:
    """One datastore with what snapshots hold on it.

    ``held_bytes`` adds up deltas, phantoms and internal snapshots; ``largest_delta_bytes`` is the
    largest delta that a merge would write out. Both are lower bounds when some size is unknown.
    ``forecast`` None: nothing is remembered of it; unknown: the memory cannot be read.
    """

    endpoint: EndpointScene
    datastore: Datastore
    held_bytes: int | Unknown
    largest_delta_bytes: int | Unknown
    forecast: Forecast | Unknown | None = None

    @property
    def subject(self) -> Subject:
        """What a finding about the datastore names."""
        return Subject(
            kind=SubjectKind.DATASTORE,
            endpoint=self.endpoint.inventory.endpoint,
            id=self.datastore.id,
            name=self.datastore.name,
        )


@dataclass(frozen=True, slots=True, eq=False)
class MachineScene:
    """One virtual machine."""

    endpoint: EndpointScene
    vm: VirtualMachine

    @property
    def subject(self) -> Subject:
        """What a finding about the machine names."""
        return Subject(
            kind=SubjectKind.VIRTUAL_MACHINE,
            endpoint=self.endpoint.inventory.endpoint,
            id=self.vm.id,
            name=self.vm.name,
            vm_id=self.vm.id,
            vm_name=self.vm.name,
        )


class SnapshotScene(NamedTuple):
    """One snapshot with its age and what its name, description and company tell.

    ``expires_at`` is the end of the day its text declares as the last, None when it declares none.
    ``growth`` None: it was not seen often enough; unknown: the memory cannot be read.
    """

    machine: MachineScene
    snapshot: Snapshot
    age: timedelta | Unknown
    reading: Reading
    expires_at: Expiry
    growth: Growth | Unknown | None = None

    @property
    def subject(self) -> Subject:
        """What a finding about the snapshot names."""
        vm = self.machine.vm
        return Subject(
            kind=SubjectKind.SNAPSHOT,
            endpoint=self.machine.endpoint.inventory.endpoint,
            id=self.snapshot.id,
            name=self.snapshot.name,
            vm_id=vm.id,
            vm_name=vm.name,
        )


class FileRole(StrEnum):
    """Why a file is a subject of its own: nothing uses it, or no registered snapshot explains it.

    ``volume``, ``overlay`` and ``memory`` are files that nothing uses; ``phantom`` is an overlay in
    the chain of a machine.
    """

    VOLUME = "volume"
    OVERLAY = "overlay"
    MEMORY = "memory"
    PHANTOM = "phantom"


@dataclass(frozen=True, slots=True, eq=False)
class FileScene:
    """One file on a datastore; ``vm`` is the machine whose chain it stands in, if any."""

    endpoint: EndpointScene
    id: str
    name: str
    path: str
    role: FileRole
    size_bytes: int | None
    datastore_id: str | None = None
    changed_at: datetime | None = None
    vm: VirtualMachine | None = None

    @property
    def subject(self) -> Subject:
        """What a finding about the file names."""
        return Subject(
            kind=SubjectKind.FILE,
            endpoint=self.endpoint.inventory.endpoint,
            id=self.id,
            name=self.name,
            vm_id=self.vm.id if self.vm else None,
            vm_name=self.vm.name if self.vm else None,
        )


@dataclass(frozen=True, slots=True, eq=False)
class ExemptionScene:
    """One exemption, which counts no longer than ``longest``.

    ``findings`` is how many it accepted; with something that it selects not seen, a lower bound.
    """

    exemption: Exemption
    now: datetime
    longest: timedelta
    findings: int | Unknown

    @property
    def subject(self) -> Subject:
        """What a finding about the exemption names; it belongs to no endpoint."""
        name = self.exemption.id
        return Subject(kind=SubjectKind.EXEMPTION, endpoint="", id=name, name=name)


Scene = EndpointScene | DatastoreScene | MachineScene | SnapshotScene | FileScene | ExemptionScene
