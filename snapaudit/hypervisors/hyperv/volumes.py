r"""Volumes: which one a file lies on, and how much is free there.

A file lies on the volume whose mount point is the longest part of its path: cluster shared volumes
are mounted below the system drive. One that no row tells of is a volume of unknown size, and so is
a share: a host cannot pass our login on to ask for its space.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from snapaudit.hypervisors.hyperv import paths
from snapaudit.hypervisors.hyperv.cluster import Reading
from snapaudit.hypervisors.hyperv.images import Images, Scope, known
from snapaudit.hypervisors.hyperv.rows import VolumeRow
from snapaudit.model.inventory import Datastore

SHARE, CLUSTERED, LOCAL = "smb", "csv", "volume"


@dataclass(frozen=True, slots=True)
class Volumes:
    """Mount points by their keys, each with what every node told of it."""

    scope: Scope
    told: Mapping[str, tuple[tuple[str, VolumeRow], ...]]
    is_one_host: bool

    def root(self, key: str) -> str:
        """The key of the mount point or share that a file lies in."""
        node, path = _split(key)
        is_in_share = paths.share(path)
        if is_in_share:
            return is_in_share
        found = paths.longest(key, self.told)
        mounted = paths.cluster_folder(path)
        if mounted is not None and (found is None or not paths.is_below(found, mounted)):
            return mounted  # the drive below which it is mounted is another volume
        return found or f"{node}|{paths.drive(path)}"

    def id(self, key: str) -> str:
        """The id of the datastore that a file lies in: the mount point as its host writes it.

        Where several nodes are read, what belongs to one of them begins with its name.
        """
        root = self.root(key)
        node, path = _split(root)
        rows = self.told.get(root)
        shown = rows[0][1].path if rows else _shown(path)
        return shown if self.is_one_host or not node else f"{node}:{shown}"


def build(reading: Reading, scope: Scope) -> Volumes:
    """All mount points of an endpoint."""
    told: dict[str, list[tuple[str, VolumeRow]]] = {}
    for node, answer in reading.answers.items():
        for row in sorted(answer.volumes, key=lambda row: not row.is_csv):
            told.setdefault(scope.key(node, row.path), []).append((node, row))
    rows = {key: tuple(found) for key, found in told.items()}
    return Volumes(scope, rows, reading.is_one_host)


def _split(key: str) -> tuple[str, str]:
    node, _, path = key.rpartition("|")
    return node, path


def _shown(path: str) -> str:
    return path if paths.share(path) else f"{path}\\"


def datastores(volumes: Volumes, images: Images, keys: Iterable[str]) -> Iterator[Datastore]:
    """Every volume and share that some known file lies on."""
    lying: dict[str, list[str]] = {}
    for key in sorted(keys):
        lying.setdefault(volumes.root(key), []).append(key)
    for root, files in lying.items():
        yield _datastore(root, files, volumes, images)


def _datastore(root: str, files: list[str], volumes: Volumes, images: Images) -> Datastore:
    rows = volumes.told.get(root, ())
    best = next((row for _, row in rows if _is_measured(row)), None)
    node, path = _split(root)
    identity = volumes.id(root)
    return Datastore(
        id=identity,
        name=identity,
        kind=_kind(path, rows),
        capacity_bytes=known(best.capacity) if best else None,
        free_bytes=known(best.free) if best else None,
        provisioned_bytes=_provisioned(files, images),
        accessible=not any(row.in_maintenance for _, row in rows),
        host_ids=tuple(dict.fromkeys(node for node, _ in rows)) or ((node,) if node else ()),
        path=rows[0][1].path if rows else _shown(path),
    )


def _is_measured(row: VolumeRow) -> bool:
    return known(row.capacity) is not None and known(row.free) is not None


def _kind(path: str, rows: Iterable[tuple[str, VolumeRow]]) -> str:
    if paths.share(path):
        return SHARE
    is_csv = paths.cluster_folder(path) is not None or any(row.is_csv for _, row in rows)
    return CLUSTERED if is_csv else LOCAL


def _provisioned(files: list[str], images: Images) -> int | None:
    """What its files can grow to: those that are written to up to their virtual size.

    None when one of them does not tell.
    """
    total = 0
    for key in files:
        image = images.by_key.get(key)
        size = image.size_bytes if image else None
        is_frozen = bool(images.on(key))
        most = size if is_frozen or image is None else image.capacity_bytes
        if size is None or most is None:
            return None
        total += max(size, most)
    return total


def free(key: str, volumes: Volumes) -> int | None:
    """What is free where a file lies; None where nobody can tell."""
    rows = volumes.told.get(volumes.root(key), ())
    best = next((row for _, row in rows if _is_measured(row)), None)
    return known(best.free) if best else None
