"""Find, explain and clean up VM snapshots on vSphere, KVM/libvirt, Hyper-V and Xen."""

__version__ = "0.1.0"
