"""Facts about an endpoint."""

from __future__ import annotations

from datetime import timedelta

from snapaudit.model.inventory import CoverageState
from snapaudit.rules.facts.registry import fact
from snapaudit.rules.quantity import Unknown
from snapaudit.rules.scene import EndpointScene

_NO_CLOCK = Unknown("the endpoint's clock could not be read")


@fact
def name(scene: EndpointScene) -> str:
    """The name in the configuration."""
    return scene.inventory.endpoint


@fact
def coverage(scene: EndpointScene) -> CoverageState:
    """How much of it was seen."""
    return scene.inventory.coverage.state


@fact
def gaps(scene: EndpointScene) -> int:
    """How many of its objects could not be read."""
    return len(scene.inventory.gaps)


@fact
def virtual_machines(scene: EndpointScene) -> int:
    """How many virtual machines it showed."""
    return len(scene.inventory.virtual_machines)


@fact
def clock_skew(scene: EndpointScene) -> timedelta | Unknown:
    """How far its clock differs from ours, in either direction."""
    skew = scene.inventory.clock_skew_seconds
    return _NO_CLOCK if skew is None else timedelta(seconds=abs(skew))
