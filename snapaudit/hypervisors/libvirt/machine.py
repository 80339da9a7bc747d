"""One machine put together: its disks with their chains, and the part each image plays in them."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import basename, dirname

from snapaudit.hypervisors.libvirt.graph import Chain, Graph, top_path
from snapaudit.hypervisors.libvirt.parsed import Domain, ParsedHost
from snapaudit.hypervisors.libvirt.sizes import Images
from snapaudit.model.inventory import DiskLayer, LayerRole, VirtualDisk


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskChain:
    """A disk and the images below it, base first, each with its role."""

    target: str
    chain: Chain
    roles: tuple[LayerRole, ...]
    has_mirror: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A domain with its chains. ``explained`` maps overlays to the snapshot that made them."""

    domain: Domain
    disks: tuple[DiskChain, ...]
    explained: dict[str, str]

    @property
    def uuid(self) -> str:
        """The domain's UUID."""
        return self.domain.raw["uuid"]

    @property
    def images(self) -> frozenset[str]:
        """Every image of every chain."""
        return frozenset(path for disk in self.disks for path in disk.chain.paths)

    def disk(self, target: str) -> DiskChain | None:
        """The disk of that target name, or whose own image has that path (libvirt allows both)."""
        for disk in self.disks:
            if disk.target == target or disk.chain.paths[-1] == target:
                return disk
        return None


def build(host: ParsedHost, domain: Domain, graph: Graph) -> Machine:
    """Put one machine together."""
    explained = {
        graph.resolve(disk.overlay): snapshot.name
        for snapshot in domain.snapshots
        for disk in snapshot.disks
        if disk.mode == "external" and disk.overlay
    }
    disks = []
    for disk in domain.live.disks:
        top = top_path(host, disk)
        if top is None:
            continue
        chain = graph.chain(graph.resolve(top))
        disks.append(
            DiskChain(
                target=disk.target,
                chain=chain,
                roles=_roles(domain, chain, graph, explained),
                has_mirror=disk.has_mirror,
            )
        )
    return Machine(domain=domain, disks=tuple(disks), explained=explained)


def _roles(
    domain: Domain, chain: Chain, graph: Graph, explained: dict[str, str]
) -> tuple[LayerRole, ...]:
    """Base first: templates, then the machine's own base, then what stands on that."""
    last_template = _last_template(domain, chain, graph, explained)
    roles: list[LayerRole] = []
    for number, path in enumerate(chain.paths):
        if path in explained:
            roles.append(LayerRole.DELTA)
        elif number <= last_template:
            roles.append(LayerRole.TEMPLATE)
        else:
            has_base = LayerRole.BASE in roles
            roles.append(LayerRole.PHANTOM if has_base else LayerRole.BASE)
    return tuple(roles)


def _last_template(domain: Domain, chain: Chain, graph: Graph, explained: dict[str, str]) -> int:
    """The highest template's place in the line, -1 for none. All that is below it is shared too."""
    pairs = list(zip(chain.paths, chain.paths[1:], strict=False))
    for number in reversed(range(len(pairs))):
        path, above = pairs[number]
        if path not in explained and _is_template(domain, graph, path, above, explained):
            return number
    return -1


def _is_template(
    domain: Domain, graph: Graph, path: str, above: str, explained: dict[str, str]
) -> bool:
    """Whether an image is there for several machines.

    Proof is another image or another machine on it. Without proof, an image that an unexplained
    overlay named after this machine stands on, while it is named after something else or lies in
    another folder, is taken for the template of a single clone. All else counts as this machine's
    own, so that an overlay nobody explains is shown rather than excused.
    """
    others = [image for image in graph.others_on(path, {above}) if graph.backing.get(image) == path]
    if others or graph.tops.get(path, set()) - {domain.raw["uuid"]}:
        return True
    if above in explained:
        return False
    name = domain.raw["name"].lower()
    own, other = basename(above).lower(), basename(path).lower()
    is_named_after_us = name in own and name not in other
    return is_named_after_us and (dirname(path) != dirname(above) or not _derives(own, other))


def _derives(overlay: str, base: str) -> bool:
    """Whether an overlay's name is the base's with another ending, as snapshots name theirs."""
    return overlay.startswith(f"{base.rpartition('.')[0] or base}.")


def virtual_disks(machine: Machine, graph: Graph, images: Images) -> tuple[VirtualDisk, ...]:
    """The disks as records of the model."""
    return tuple(
        VirtualDisk(
            id=disk.target,
            label=disk.target,
            capacity_bytes=images.capacity(disk.chain.paths[-1]),
            layers=tuple(
                _layer(path, role, machine, graph, images)
                for path, role in zip(disk.chain.paths, disk.roles, strict=True)
            ),
        )
        for disk in machine.disks
    )


def _layer(path: str, role: LayerRole, machine: Machine, graph: Graph, images: Images) -> DiskLayer:
    facts = images.facts(path)
    return DiskLayer(
        path=path,
        datastore_id=images.datastore(path),
        size_bytes=facts.used_bytes,
        role=role,
        snapshot_id=machine.explained.get(path),
        format=graph.formats.get(path),
        exists=facts.exists,
    )
