"""Facts about where a virtual machine belongs: what people filed it under, and where it runs."""

from __future__ import annotations

from snapaudit.model.inventory import Host
from snapaudit.rules.facts.registry import fact
from snapaudit.rules.quantity import Unknown
from snapaudit.rules.scene import MachineScene

_NO_HOST = Unknown("the host of the machine is not known")
_NO_CLUSTER = Unknown("the hypervisor does not tell a cluster of its host")
_NO_MAINTENANCE = Unknown("the hypervisor does not tell whether its host is in maintenance")
_NO_TAGS = Unknown("the tags of machines could not be read, or not all")
_NO_ATTRIBUTES = Unknown("the custom attributes of machines could not be read")


@fact
def tags(scene: MachineScene) -> tuple[str, ...] | Unknown:
    """Its tags."""
    return _NO_TAGS if "tags" in scene.endpoint.unread else scene.vm.tags


@fact
def folder(scene: MachineScene) -> str:
    """The path of the folder that people filed it in, like ``Berlin/Web``; empty for none."""
    return scene.vm.folder or ""


@fact
def attribute(scene: MachineScene, name: str) -> str | Unknown:
    """What people wrote under a name, in vSphere a custom attribute; empty text for nothing."""
    if "custom attributes" in scene.endpoint.unread:
        return _NO_ATTRIBUTES
    found = (one.value for one in scene.vm.attributes if one.name == name)
    return next(found, "")


@fact
def traits(scene: MachineScene) -> tuple[str, ...]:
    """Words of the platform about it, such as ``encrypted`` or ``managed-by: com.example``."""
    return scene.vm.traits


@fact
def host(scene: MachineScene) -> str | Unknown:
    """The name of its host."""
    found = _host(scene)
    return _NO_HOST if found is None else found.name


@fact
def host_version(scene: MachineScene) -> str | Unknown:
    """The version of its host."""
    found = _host(scene)
    return _NO_HOST if found is None else found.version


@fact
def host_in_maintenance(scene: MachineScene) -> bool | Unknown:
    """Whether its host is in maintenance."""
    found = _host(scene)
    return (
        _NO_MAINTENANCE if found is None or found.in_maintenance is None else found.in_maintenance
    )


@fact
def cluster(scene: MachineScene) -> str | Unknown:
    """The cluster of its host."""
    found = _host(scene)
    return _NO_CLUSTER if found is None or found.cluster is None else found.cluster


def _host(scene: MachineScene) -> Host | None:
    return scene.endpoint.hosts.get(scene.vm.host_id or "")
