"""Hyper-V hosts and clusters over WinRM; what they do is told in `docs/hypervisors/`."""
