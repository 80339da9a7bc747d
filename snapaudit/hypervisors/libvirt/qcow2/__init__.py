"""Reads qcow2 images: what each internal snapshot holds, to the cluster.

Standard library only, read-only, without a lock. Source of the format: QEMU, docs/interop/qcow2.
"""

from snapaudit.hypervisors.libvirt.qcow2.growth import growth_of_commit
from snapaudit.hypervisors.libvirt.qcow2.header import Header, Qcow2Error, read_header
from snapaudit.hypervisors.libvirt.qcow2.source import LocalSource, Source
from snapaudit.hypervisors.libvirt.qcow2.walk import ImageSizes, SnapshotSizes, measure

__all__ = [
    "Header",
    "ImageSizes",
    "LocalSource",
    "Qcow2Error",
    "SnapshotSizes",
    "Source",
    "growth_of_commit",
    "measure",
    "read_header",
]
