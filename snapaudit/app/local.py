"""Hypervisors on this very machine, found by the sockets their daemons listen on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from snapaudit.model.endpoint import Endpoint

_SYSTEM = ("/run/libvirt/libvirt-sock-ro", "/run/libvirt/virtqemud-sock-ro")
_SESSION = ("libvirt/libvirt-sock", "libvirt/virtqemud-sock")


def local_endpoints(environ: Mapping[str, str]) -> tuple[Endpoint, ...]:
    """An endpoint for the system's libvirt daemon and one for the user's, where there are any."""
    found = []
    if any(Path(path).exists() for path in _SYSTEM):
        found.append(Endpoint(name="local", kind="libvirt", url="qemu:///system"))
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime and any((Path(runtime) / path).exists() for path in _SESSION):
        found.append(Endpoint(name="session", kind="libvirt", url="qemu:///session"))
    return tuple(found)
