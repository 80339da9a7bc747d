"""VMware vCenter and single ESXi hosts; what they do is told in `docs/hypervisors/`."""
