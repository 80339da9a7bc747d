"""KVM, QEMU and all else that libvirt drives; what it does is told in `docs/hypervisors/`."""

from snapaudit.hypervisors.libvirt.collect import LibvirtHypervisor

LIBVIRT = LibvirtHypervisor()
