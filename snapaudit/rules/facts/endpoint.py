"""Facts about an endpoint."""

from __future__ import annotations

from datetime import timedelta

from snapaudit.model.inventory import CoverageState
from snapaudit.rules.facts.registry import fact
from snapaudit.rules.quantity import Unknown
from snapaudit.rules.scene import EndpointScene

_NOT_VERIFIED = Unknown("nobody could tell whether the connection is verified")
_NO_CLOCK = Unknown("the endpoint's clock could not be read")


@fact
def name(scene: EndpointScene) -> str:
    """The name in the configuration."""
    return scene.inventory.endpoint


@fact
def hypervisor(scene: EndpointScene) -> str:
    """The kind of platform: ``vsphere``, ``libvirt``, ``hyperv``, ``xen``, or a plug-in's."""
    return scene.inventory.hypervisor


@fact
def coverage(scene: EndpointScene) -> CoverageState:
    """How much of it was seen."""
    return scene.inventory.coverage.state


@fact
def gaps(scene: EndpointScene) -> int:
    """How many of its objects could not be read."""
    return len(scene.inventory.gaps)


@fact
def blind_spots(scene: EndpointScene) -> int:
    """How many kinds of things this way of reading never sees."""
    return len(scene.inventory.blind_spots)


@fact
def is_lab(scene: EndpointScene) -> bool:
    """Whether the configuration calls it a lab."""
    return scene.inventory.lab


@fact
def is_verified(scene: EndpointScene) -> bool | Unknown:
    """Whether it was checked who answered, and nobody could read along."""
    verified = scene.inventory.connection_verified
    return _NOT_VERIFIED if verified is None else verified


@fact
def view_age(scene: EndpointScene) -> timedelta:
    """Time since it was read; more than moments for a saved inventory."""
    skew = timedelta(seconds=scene.inventory.clock_skew_seconds or 0.0)
    return scene.now - skew - scene.inventory.collected_at


@fact
def hosts(scene: EndpointScene) -> int:
    """How many hosts it showed."""
    return len(scene.inventory.hosts)


@fact
def host_versions(scene: EndpointScene) -> tuple[str, ...]:
    """The versions of its hosts, each once."""
    return tuple(sorted({host.version for host in scene.inventory.hosts}))


@fact
def datastores(scene: EndpointScene) -> int:
    """How many datastores it showed."""
    return len(scene.inventory.datastores)


@fact
def snapshots(scene: EndpointScene) -> int:
    """How many snapshots it showed."""
    return sum(len(vm.snapshots) for vm in scene.inventory.virtual_machines)


@fact
def unused_files(scene: EndpointScene) -> int:
    """How many files on its datastores nothing uses."""
    return len(scene.inventory.strays)


@fact
def virtual_machines(scene: EndpointScene) -> int:
    """How many virtual machines it showed."""
    return len(scene.inventory.virtual_machines)


@fact
def clock_skew(scene: EndpointScene) -> timedelta | Unknown:
    """How far its clock differs from ours, in either direction."""
    skew = scene.inventory.clock_skew_seconds
    return _NO_CLOCK if skew is None else timedelta(seconds=abs(skew))
