"""Where a machine is filed and runs: folders, datacenter, host and cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from snapaudit.hypervisors.vsphere import paths
from snapaudit.hypervisors.vsphere.machine import Machine
from snapaudit.hypervisors.vsphere.names import decoded
from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.model.inventory import Host

# Inventories nest a few levels; a circle is nothing a server can mean.
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class Placement:
    """Folders, datacenters, vApps, hosts and clusters by their reference.

    ``lines`` keeps what was found out: many machines share a folder.
    """

    objects: Mapping[str, RawObject]
    lines: dict[str | None, tuple[str, ...]] = field(default_factory=dict)

    def folders(self, machine: Machine) -> tuple[str, ...]:
        """Datacenter and folders from the outermost inwards, as people named them.

        Left out are the two that nobody made: the root, and each datacenter's folder of machines.
        """
        above = machine.text("parent") or machine.text("parentVApp")
        if above not in self.lines:
            self.lines[above] = self._line(above)
        return self.lines[above]

    def _line(self, above: str | None) -> tuple[str, ...]:
        line = tuple(self._upwards(above))
        shown = (one for one in reversed(line) if not self._is_hidden(one))
        return tuple(decoded(_text(one, "name") or one.moid) for one in shown)

    def _upwards(self, moid: str | None) -> Iterator[RawObject]:
        for _ in range(_DEEPEST):
            found = self.objects.get(moid or "")
            if found is None:
                return
            yield found
            moid = _text(found, "parentFolder") or _text(found, "parent")

    def _is_hidden(self, found: RawObject) -> bool:
        if found.kind != paths.FOLDER:
            return False
        above = self.objects.get(_text(found, "parent") or "")
        is_root = "parent" not in found.values and "parent" not in found.missing
        return is_root or (above is not None and above.kind == paths.DATACENTER)

    def hosts(self) -> Iterator[Host]:
        """The hosts, each with its cluster."""
        for found in self.objects.values():
            if found.kind == paths.HOST:
                yield self._host(found)

    def _host(self, found: RawObject) -> Host:
        maintenance = found.values.get("runtime.inMaintenanceMode")
        return Host(
            id=found.moid,
            name=decoded(_text(found, "name") or found.moid),
            version=_text(found, "summary.config.product.fullName") or "unknown",
            cluster=self._cluster(found),
            in_maintenance=maintenance if isinstance(maintenance, bool) else None,
        )

    def _cluster(self, found: RawObject) -> str | None:
        """A host outside a cluster stands in a compute resource of its own."""
        above = self.objects.get(_text(found, "parent") or "")
        if above is None or above.kind == paths.CLUSTER:
            return None
        return decoded(_text(above, "name") or above.moid)


def placement(found: Iterable[RawObject]) -> Placement:
    """From raw objects of any kind."""
    return Placement({one.moid: one for one in found})


def _text(found: RawObject, path: str) -> str | None:
    value = found.values.get(path)
    return value if isinstance(value, str) else None
