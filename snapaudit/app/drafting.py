"""A configuration that is being written: whether it can be read, and whether its endpoints work."""

from __future__ import annotations

from pathlib import Path

from snapaudit import registry
from snapaudit.app.gather import options_of_all_kinds
from snapaudit.app.reaching import shown_fingerprint
from snapaudit.config import loader
from snapaudit.config.settings import Settings
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.examination import Examination, ProbeState
from snapaudit.ports import Examinable


def drafted(text: str, path: Path) -> Settings:
    """What the text would mean as that file. Raises InputError with the place in it."""
    return loader.draft(text, path, options_of=options_of_all_kinds())


def check_address(endpoint: Endpoint) -> None:
    """Raises UsageError for an address that its platform cannot read."""
    platform = registry.hypervisor(endpoint.kind)
    if isinstance(platform, Examinable):
        platform.peer(endpoint)


def fingerprint_to_pin(endpoint: Endpoint, found: Examination) -> str | None:
    """Of the certificate that nobody vouches for; None where that is not what is in the way."""
    if not any(one.name == "tls" and one.state is ProbeState.FAILED for one in found.probes):
        return None
    platform = registry.hypervisor(endpoint.kind)
    peer = platform.peer(endpoint) if isinstance(platform, Examinable) else None
    return shown_fingerprint(peer) if peer is not None else None
