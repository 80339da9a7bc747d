"""Raw answers as records, with what could not be understood as gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from snapaudit.hypervisors.libvirt import storage_xml, xml
from snapaudit.hypervisors.libvirt.raw import RawDomain, RawHost, RawPool
from snapaudit.model.inventory import Gap

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """One domain. ``definitions``: live first, then what the next start would use."""

    raw: RawDomain
    live: xml.DomainXml
    definitions: tuple[xml.DomainXml, ...]
    snapshots: tuple[xml.SnapshotXml, ...]
    checkpoints: tuple[xml.CheckpointXml, ...]

    @property
    def is_whole(self) -> bool:
        """Whether all of it could be read, so that every file it uses is known."""
        understood = len(self.snapshots) == len(self.raw["snapshots"])
        return bool(self.definitions) and understood and not self.raw["trouble"]

    @property
    def is_running(self) -> bool:
        """Whether a process holds the images open."""
        return self.raw["state"] not in (0, 5, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One storage pool with its volumes; ``is_complete``: the list is true as of now."""

    raw: RawPool
    pool: storage_xml.PoolXml
    volumes: tuple[storage_xml.VolumeXml, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedHost:
    """Everything the daemon told that could be understood, and the gaps.

    ``uuid`` tells the host from others; None: it does not say.
    """

    raw: RawHost
    uuid: str | None
    domains: tuple[Domain, ...]
    pools: tuple[Pool, ...]
    gaps: tuple[Gap, ...]


def parse_host(raw: RawHost) -> ParsedHost:
    """Parse every document. One that cannot be parsed becomes a gap and the rest goes on.

    Domains, pools and volumes come in the order of their names: libvirt lists them by hash.
    """
    gaps = [Gap(subject=raw["hostname"], reason=line) for line in raw["trouble"]]
    by_name = sorted(raw["domains"], key=lambda item: (item["name"], item["uuid"]))
    domains = tuple(_domain(item, gaps) for item in by_name)
    # The test driver keeps its volumes in its list and nowhere else.
    is_truth = raw["driver"].upper() == "TEST"
    in_order = sorted(raw["pools"], key=lambda item: item["name"])
    pools = [_pool(item, gaps, is_truth=is_truth) for item in in_order]
    [uuid] = _each(xml.host_uuid, [raw["capabilities"]], "the host's capabilities", gaps) or [None]
    return ParsedHost(
        raw=raw,
        uuid=uuid,
        domains=domains,
        pools=tuple(pool for pool in pools if pool is not None),
        gaps=tuple(gaps),
    )


def _each(
    parse: Callable[[str], Parsed], texts: Iterable[str], subject: str, gaps: list[Gap]
) -> tuple[Parsed, ...]:
    found = []
    for text in texts:
        try:
            found.append(parse(text))
        except xml.XmlError as error:
            gaps.append(Gap(subject=subject, reason=str(error)))
    return tuple(found)


def _domain(raw: RawDomain, gaps: list[Gap]) -> Domain:
    subject = f"virtual machine {raw['name']}"
    gaps.extend(Gap(subject=subject, reason=line) for line in raw["trouble"])
    texts = [text for text in (raw["xml"], raw["inactive_xml"]) if text]
    definitions = _each(xml.domain, texts, subject, gaps)
    live = definitions[0] if definitions else _nothing_known_of(raw)
    return Domain(
        raw=raw,
        live=live,
        definitions=definitions,
        snapshots=_each(xml.snapshot, raw["snapshots"], subject, gaps),
        checkpoints=_each(xml.checkpoint, raw["checkpoints"], subject, gaps),
    )


def _nothing_known_of(raw: RawDomain) -> xml.DomainXml:
    return xml.DomainXml(
        uuid=raw["uuid"], name=raw["name"], title="", description="", disks=(), files=frozenset()
    )


def _pool(raw: RawPool, gaps: list[Gap], *, is_truth: bool) -> Pool | None:
    subject = f"storage pool {raw['name']}"
    gaps.extend(Gap(subject=subject, reason=line) for line in raw["trouble"])
    for pool in _each(storage_xml.pool, [raw["xml"]] if raw["xml"] else [], subject, gaps):
        volumes = _each(storage_xml.volume, raw["volumes"], subject, gaps)
        in_order = tuple(sorted(volumes, key=lambda volume: volume.path))
        return Pool(raw=raw, pool=pool, volumes=in_order, is_complete=is_truth or raw["refreshed"])
    return None
