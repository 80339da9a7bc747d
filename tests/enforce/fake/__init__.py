"""A small world of hypervisor managers that are slow, faulty, and strict about every call."""
