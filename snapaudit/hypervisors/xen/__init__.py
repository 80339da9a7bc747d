"""XenServer and XCP-ng pools; what they do is told in `docs/hypervisors/`."""

from snapaudit.hypervisors.xen.hypervisor import XenHypervisor

XEN = XenHypervisor()
