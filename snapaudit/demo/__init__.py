"""The demo fleet: what `--demo` audits, staged as a file for libvirt's own test driver."""
