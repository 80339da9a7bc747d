"""What the client hands to the translation: plain values as the daemon sent them.

These can be printed, stored and replayed by a test without a daemon.
"""

from __future__ import annotations

from typing import TypedDict


class RawDomain(TypedDict):
    """One domain; ``trouble`` says in words what of it could not be read."""

    uuid: str
    name: str
    state: int
    reason: int
    persistent: bool
    managed_save: bool
    job: int
    xml: str
    inactive_xml: str | None
    blocks: dict[str, int | str]
    snapshots: list[str]
    current: str | None
    checkpoints: list[str]
    trouble: list[str]


class RawPool(TypedDict):
    """One storage pool with the XML of its volumes."""

    name: str
    active: bool
    refreshed: bool
    xml: str
    volumes: list[str]
    trouble: list[str]


class RawHost(TypedDict):
    """All that one daemon told."""

    hostname: str
    driver: str
    library_version: int
    hypervisor_version: int
    capabilities: str
    domains: list[RawDomain]
    pools: list[RawPool]
    trouble: list[str]
    """``subject: reason`` of whole lists that could not be read."""


class Greeting(TypedDict):
    """Who answers, and how many domains and storage pools it shows."""

    hostname: str
    driver: str
    library_version: int
    hypervisor_version: int
    domains: int
    pools: int
