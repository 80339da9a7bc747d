"""Facts about an exemption."""

from __future__ import annotations

from datetime import timedelta

from snapaudit.model.exemption import latest_end
from snapaudit.rules.facts.registry import fact
from snapaudit.rules.quantity import Unknown
from snapaudit.rules.scene import ExemptionScene

_NO_TIME = timedelta(0)


@fact
def owner(scene: ExemptionScene) -> str:
    """Who answers for it; empty text when nobody is named."""
    return scene.exemption.owner


@fact
def has_owner(scene: ExemptionScene) -> bool:
    """Whether somebody is named who answers for it; ``-``, ``n/a`` and the like name nobody."""
    return scene.exemption.has_owner


@fact
def has_ticket(scene: ExemptionScene) -> bool:
    """Whether it names a ticket."""
    return scene.exemption.ticket is not None


@fact
def age(scene: ExemptionScene) -> timedelta:
    """Time since it was created; below zero for a day to come."""
    return scene.now - scene.exemption.created_at


@fact
def time_left(scene: ExemptionScene) -> timedelta:
    """Time until it stops counting; below zero once it has."""
    return scene.exemption.ends_at(scene.longest) - scene.now


@fact
def has_ended(scene: ExemptionScene) -> bool:
    """Whether it no longer counts."""
    return not scene.exemption.is_in_force(scene.now, scene.longest)


@fact
def excess_life(scene: ExemptionScene) -> timedelta:
    """How much longer it is meant to last than the site allows; zero where it keeps to that."""
    begins_at = min(scene.exemption.created_at, scene.now)
    return max(_NO_TIME, scene.exemption.expires_at - latest_end(begins_at, scene.longest))


@fact
def findings(scene: ExemptionScene) -> int | Unknown:
    """How many findings it accepts now."""
    return scene.findings
