"""Cluster: what the nodes of an endpoint answered, as one: each machine once, with its node.

A node lists only the machines it owns. One that did not answer leaves a hole that is named; what
was not seen there is never taken for what is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from snapaudit.hypervisors.hyperv.rows import Answer, CheckpointRow, HostRow, MachineRow

_NOBODY = "00000000-0000-0000-0000-000000000000"
_RUNNING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was heard of an endpoint.

    ``answers`` by node name in lower case, the first host first, and ``reached`` by the same names
    the host names that were connected to; ``failed`` says of the other nodes why they did not
    answer. ``has_disks``: whether disk files were asked for; ``only``: those of
    these machines alone, None: all.
    """

    answers: Mapping[str, Answer]
    reached: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    clock_skew_seconds: float | None = None
    has_disks: bool = True
    only: frozenset[str] | None = None
    is_verified: bool | None = None

    @property
    def hosts(self) -> tuple[tuple[str, HostRow], ...]:
        """Every node that told who it is, by its name here."""
        told = ((node, answer.host) for node, answer in self.answers.items())
        return tuple((node, host) for node, host in told if host is not None)

    @property
    def is_one_host(self) -> bool:
        """Whether local paths mean the same to all of the endpoint: it is one host, alone."""
        is_clustered = any(host.cluster for _, host in self.hosts)
        return len(self.answers) + len(self.failed) == 1 and not is_clustered

    def asked_disks_of(self, machine: str) -> bool:
        """Whether a machine's disk files were asked for, so that one that is missing is a hole."""
        return self.has_disks and (self.only is None or machine in self.only)

    @property
    def manager_id(self) -> str | None:
        """The cluster's id or name, else the first host's hardware id, else its name."""
        host = next((host for _, host in self.hosts), None)
        if host is None:
            return None
        return (host.cluster_id or host.cluster or host.uuid or host.name).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A machine by its id. ``nodes`` has a node as often as it listed the machine."""

    row: MachineRow
    node: str
    nodes: tuple[str, ...]
    checkpoints: tuple[CheckpointRow, ...]

    @property
    def id(self) -> str:
        """The machine's GUID."""
        return self.row.id


def plain(guid: str | None) -> str | None:
    """A GUID in lower case without braces; None for none, which Windows also writes as zeros."""
    text = (guid or "").strip().strip("{}").lower()
    return None if text in ("", _NOBODY) else text


def machines(reading: Reading) -> tuple[Found, ...]:
    """Every machine of every node once, by its id: one that moves just now is seen on two nodes."""
    seen: dict[str, list[tuple[str, MachineRow]]] = {}
    for node, answer in reading.answers.items():
        for row in answer.machines:
            ours = _machine(row)
            seen.setdefault(ours.id, []).append((node, ours))
    taken = {identity: _checkpoints(reading, identity) for identity in seen}
    return tuple(_found(rows, taken[identity]) for identity, rows in sorted(seen.items()))


def unclaimed(reading: Reading) -> Iterator[tuple[str, CheckpointRow]]:
    """Checkpoints whose machine no node listed, each with its node."""
    known = {plain(row.id) for answer in reading.answers.values() for row in answer.machines}
    for node, answer in reading.answers.items():
        yield from ((node, row) for row in answer.checkpoints if plain(row.machine) not in known)


def _found(
    rows: list[tuple[str, MachineRow]], checkpoints: dict[str, tuple[str, CheckpointRow]]
) -> Found:
    """The side that runs it is the one to believe."""
    node, row = next((one for one in rows if one[1].state == _RUNNING), rows[0])
    ours = sorted(checkpoints.values(), key=lambda one: one[0] != node)
    return Found(
        row=row,
        node=node,
        nodes=tuple(node for node, _ in rows),
        checkpoints=tuple(checkpoint for _, checkpoint in ours),
    )


def _checkpoints(reading: Reading, machine: str) -> dict[str, tuple[str, CheckpointRow]]:
    found: dict[str, tuple[str, CheckpointRow]] = {}
    for node, answer in reading.answers.items():
        for row in answer.checkpoints:
            if plain(row.machine) == machine:
                found.setdefault(plain(row.id) or row.id, (node, _checkpoint(row)))
    return found


def _machine(row: MachineRow) -> MachineRow:
    own = plain(row.id) or row.id
    return replace(row, id=own, parent_checkpoint=plain(row.parent_checkpoint))


def _checkpoint(row: CheckpointRow) -> CheckpointRow:
    own, machine = plain(row.id) or row.id, plain(row.machine) or row.machine
    return replace(row, id=own, machine=machine, parent=plain(row.parent))
