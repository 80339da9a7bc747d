"""The graph of all images of a host: which image stands on which, over all pools and all domains.

A domain's XML names the whole chain only while it runs; of a domain that is off it may name the top
image alone. The rest is stitched together from what each storage volume, image header and snapshot
says of its own backing image.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from posixpath import dirname

from snapaudit.hypervisors.libvirt.files import Files
from snapaudit.hypervisors.libvirt.parsed import Domain, ParsedHost
from snapaudit.hypervisors.libvirt.qcow2 import Qcow2Error, read_header
from snapaudit.hypervisors.libvirt.storage_xml import VolumeXml
from snapaudit.hypervisors.libvirt.xml import DiskXml

LONGEST_CHAIN = 1024


@dataclass(frozen=True, slots=True)
class Chain:
    """A line of images, base first. ``is_complete`` when its lowest image is known to be a base."""

    paths: tuple[str, ...]
    is_complete: bool


@dataclass(slots=True)
class Graph:
    """Who stands on whom. What is learned first counts: learn from the best source first."""

    resolve: Callable[[str], str]
    backing: dict[str, str | None] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)
    capacities: dict[str, int] = field(default_factory=dict)
    children: dict[str, set[str]] = field(default_factory=dict)
    tops: dict[str, set[str]] = field(default_factory=dict)
    """The domains (UUIDs) whose disk is this image, as they run or as they would start."""
    disputed: dict[str, str | None] = field(default_factory=dict)
    """Images whose own header names another image (None: no other) than what was learned before."""

    def learn(self, path: str, backing: str | None) -> None:
        """Take over that an image stands on another, or (None) that it is a base."""
        if path not in self.backing and path != backing:
            self.backing[path] = backing
        if backing is not None:
            self.children.setdefault(backing, set()).add(path)

    def chain(self, top: str) -> Chain:
        """The line below an image. A circle, which no sound image has, ends it as incomplete."""
        line = [top]
        while (below := self.backing.get(line[-1])) is not None:
            if below in line or len(line) >= LONGEST_CHAIN:
                return Chain(tuple(reversed(line)), is_complete=False)
            line.append(below)
        return Chain(tuple(reversed(line)), is_complete=line[-1] in self.backing)

    def others_on(self, path: str, known: set[str] | frozenset[str]) -> tuple[str, ...]:
        """The images that stand on this one beside the known ones, sorted."""
        return tuple(sorted(self.children.get(path, set()) - known))


def build(host: ParsedHost, files: Files) -> Graph:
    """The graph of a host, from live chains, headers, volumes, definitions and snapshots in turn.

    Headers come before volumes: they are the file itself, and a volume is a cached reading of it. A
    chain in the definition of a machine that is off is what it was when it last ran.
    """
    graph = Graph(files.resolve)
    for domain, disk in _defined_disks(host):
        _learn_top(graph, host, domain, disk)
    for domain in host.domains:
        for disk in domain.live.disks if domain.is_running else ():
            _learn_chain(graph, host, disk)
    if files.reads_images:
        _learn_headers(graph, files)
    for volume in (volume for pool in host.pools for volume in pool.volumes):
        _learn_volume(graph, volume)
    for _, disk in _defined_disks(host):
        _learn_chain(graph, host, disk)
    for domain in host.domains:
        _learn_snapshots(graph, domain)
    return graph


def _defined_disks(host: ParsedHost) -> Iterator[tuple[Domain, DiskXml]]:
    for domain in host.domains:
        for definition in domain.definitions:
            for disk in definition.disks:
                yield domain, disk


def top_path(host: ParsedHost, disk: DiskXml) -> str | None:
    """The path of a disk's own image; one named by pool and volume is looked up."""
    if disk.images:
        return disk.images[0].path
    for pool in host.pools:
        for volume in pool.volumes:
            if disk.volume == (pool.pool.name, volume.name):
                return volume.path
    return None


def _learn_top(graph: Graph, host: ParsedHost, domain: Domain, disk: DiskXml) -> None:
    top = top_path(host, disk)
    if top is not None:
        graph.tops.setdefault(graph.resolve(top), set()).add(domain.raw["uuid"])
    for image in disk.images:
        if image.format:
            graph.formats.setdefault(graph.resolve(image.path), image.format)


def _learn_chain(graph: Graph, host: ParsedHost, disk: DiskXml) -> None:
    top = top_path(host, disk)
    if top is None:
        return
    line = [graph.resolve(top), *(graph.resolve(image.path) for image in disk.images[1:])]
    for above, below in pairwise(line):
        graph.learn(above, below)
    is_raw = graph.formats.get(line[-1]) == "raw"
    if disk.is_complete or is_raw:  # a raw image has no place for the name of another
        graph.learn(line[-1], None)


def _learn_headers(graph: Graph, files: Files) -> None:
    """Follow the backing names in the images themselves, down from every disk."""
    waiting = deque(sorted({*graph.tops, *graph.backing, *graph.children}))
    seen = set(waiting)
    while waiting:
        path = waiting.popleft()
        below = _from_header(graph, files, path)
        if below is not None and below not in seen:
            seen.add(below)
            waiting.append(below)


def _from_header(graph: Graph, files: Files, path: str) -> str | None:
    if graph.formats.get(path) == "raw":
        graph.learn(path, None)
        return None
    source = files.open(path)
    if isinstance(source, str):
        return None
    try:
        header = read_header(source)
    except (Qcow2Error, OSError):
        return None
    graph.formats.setdefault(path, "qcow2")
    graph.capacities[path] = header.virtual_size
    below = beside(path, header.backing_file, graph.resolve) if header.backing_file else None
    if _contradicts(graph, path, below):
        graph.disputed[path] = below
    graph.learn(path, below)
    return below


def _contradicts(graph: Graph, path: str, below: str | None) -> bool:
    """Whether a header speaks against a running chain. Of two places only paths can be compared."""
    told = graph.backing.get(path, below)
    places = [place for place in (told, below) if place is not None]
    return told != below and all(place.startswith("/") for place in places)


def _learn_volume(graph: Graph, volume: VolumeXml) -> None:
    path = graph.resolve(volume.path)
    if volume.format:
        graph.formats.setdefault(path, volume.format)
    if volume.backing is not None:
        graph.learn(path, beside(path, volume.backing.path, graph.resolve))
    elif volume.format is not None:
        graph.learn(path, None)


def _learn_snapshots(graph: Graph, domain: Domain) -> None:
    """An overlay stands on the image that was active when its snapshot was taken."""
    for snapshot in domain.snapshots:
        for disk in snapshot.disks:
            frozen = snapshot.frozen.get(disk.target)
            if disk.mode == "external" and disk.overlay and frozen and frozen != disk.overlay:
                graph.learn(graph.resolve(disk.overlay), graph.resolve(frozen))


def beside(overlay: str, backing: str, resolve: Callable[[str], str]) -> str:
    """A backing name as a path: a relative one counts from the overlay's folder."""
    is_place = backing.startswith(("/", "json:")) or "://" in backing
    return resolve(backing if is_place else f"{dirname(overlay)}/{backing}")
