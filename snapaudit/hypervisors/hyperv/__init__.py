"""Hyper-V hosts and clusters over WinRM; what they do is told in `docs/hypervisors/`."""

from snapaudit.hypervisors.hyperv.hypervisor import HypervHypervisor

HYPERV = HypervHypervisor()
