"""VMware vCenter and single ESXi hosts; what they do is told in `docs/hypervisors/`."""

from snapaudit.hypervisors.vsphere.hypervisor import VsphereHypervisor

VSPHERE = VsphereHypervisor()
