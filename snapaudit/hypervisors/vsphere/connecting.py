"""Logs in. What talks to a server is loaded here and nowhere before, the acting part apart."""

from __future__ import annotations

from snapaudit.errors import MissingSdk
from snapaudit.hypervisors.vsphere.service import ActingService, Service
from snapaudit.model.endpoint import Account, Endpoint

_MISSING = "vSphere needs the pyvmomi package: pipx install 'snapaudit[vsphere]'"


def reading_service(endpoint: Endpoint, account: Account, password: str | None) -> Service:
    """A session that can only read. Raises HypervisorError, UsageError for a wrong address."""
    try:
        from snapaudit.hypervisors.vsphere.client import Client
    except ImportError as error:
        raise MissingSdk(_MISSING) from error
    return Client(endpoint, account, password)


def acting_service(endpoint: Endpoint, account: Account, password: str | None) -> ActingService:
    """A session that may remove snapshots and consolidate. Only enforcement asks for it.

    Raises UsageError also where the endpoint's certificate is not verified.
    """
    try:
        from snapaudit.hypervisors.vsphere.acting import ActingClient
    except ImportError as error:
        raise MissingSdk(_MISSING) from error
    return ActingClient(endpoint, account, password)
