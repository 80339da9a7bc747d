"""Every target, by group: what people write, what we keep, and what the platforms answer."""

from __future__ import annotations

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    documents,
    history,
    hyperv,
    hyperv_wire,
    images,
    libvirt,
    network,
    scratch,
    state,
    vsphere,
    written,
    xen,
)

_PARTS = (
    *(written, documents, state, history, libvirt, images),
    *(vsphere, hyperv, hyperv_wire, xen, network),
)


def every_target() -> tuple[Target, ...]:
    """All of them; the folder they write to is there from now on, until this process ends."""
    scratch.folder()
    return tuple(target for part in _PARTS for target in part.TARGETS)
