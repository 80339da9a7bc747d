"""What people of the estate did and decided: deletions of the week, exemptions, holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from snapaudit.errors import Place
from snapaudit.model.exemption import Exemption, Selector
from snapaudit.model.hold import Hold
from snapaudit.model.inventory import Inventory
from snapaudit.model.journal import Event
from snapaudit.model.policy import Remedy
from snapaudit.model.weekly import Deed

_GIB = 2**30
_DONE = (
    ("vc-berlin", "appsrv10", "patch day", 15.2),
    ("vc-berlin", "appsrv11", "patch day", 15.3),
    ("vc-berlin", "intranet01", "php 8.3", 11.8),
    ("kvm-cologne", "monitor01", "upgrade", 15.5),
)
_HELD = "held: hold legal-7 of Legal until 2027-06-30 23:59 UTC: a case is pending"


def deeds(now: datetime, before: tuple[Inventory, ...]) -> tuple[Deed, ...]:
    """The actions of the Saturday before, the latest first; ``before`` is what there was then."""
    began = now - timedelta(days=1, hours=8)
    names = {
        (seen.endpoint, vm.name, shot.name.split(" 2")[0]): shot.name
        for seen in before
        for vm in seen.virtual_machines
        for shot in vm.snapshots
    }
    done = (
        _deed(began + timedelta(minutes=14 * number), endpoint, vm, names[endpoint, vm, word], gib)
        for number, (endpoint, vm, word, gib) in enumerate(_DONE)
        if (endpoint, vm, word) in names
    )
    refused = _deed(began, "vc-berlin", "files01", "quarter end", None, _HELD)
    return (*reversed(tuple(done)), refused)


def _deed(
    at: datetime, endpoint: str, vm: str, snapshot: str, gib: float | None, reason: str = ""
) -> Deed:
    return Deed(
        at=at,
        plan_id=f"{at:%Y%m%d}-cleanup",
        kind=Remedy.DELETE_SNAPSHOT,
        endpoint=endpoint,
        vm_name=vm,
        snapshot_name=snapshot,
        event=str(Event.REFUSED if reason else Event.DONE),
        reason=reason,
        freed_bytes=None if gib is None else round(gib * _GIB),
    )


def exemptions(now: datetime) -> tuple[Exemption, ...]:
    """One that is about to end, one that is over, one that nothing needs any more."""
    return (
        _exemption(
            "EX-12",
            ("stale-snapshot", "ancient-snapshot"),
            Selector(endpoint="vc-berlin", vm="dwh-stage01"),
            "Database team",
            "the auditors still compare with it",
            now - timedelta(days=80),
            now + timedelta(days=9),
        ),
        _exemption(
            "EX-15",
            ("anonymous-snapshot",),
            Selector(endpoint="hv-hamburg", vm="pos-gw01"),
            "Retail systems",
            "the till vendor names them like that",
            now - timedelta(days=120),
            now + timedelta(days=50),
        ),
        _exemption(
            "EX-9",
            ("stale-snapshot",),
            Selector(endpoint="vc-berlin", vm="intranet01"),
            "Workplace services",
            "until the wiki has moved",
            now - timedelta(days=60),
            now + timedelta(days=20),
        ),
        _exemption(
            "EX-4",
            ("too-many-snapshots",),
            Selector(endpoint="kvm-cologne", vm="compta-fr"),
            "Finance IT",
            "a backup product is being bought",
            now - timedelta(days=150),
            now - timedelta(days=3),
        ),
    )


def _exemption(
    name: str,
    rules: tuple[str, ...],
    selector: Selector,
    owner: str,
    reason: str,
    created_at: datetime,
    expires_at: datetime,
) -> Exemption:
    return Exemption(
        id=name,
        rules=rules,
        selector=selector,
        owner=owner,
        reason=reason,
        ticket=None,
        created_at=created_at,
        expires=f"{expires_at:%Y-%m-%d}",
        expires_at=expires_at,
        place=Place(source="exemptions.yaml"),
    )


def holds(now: datetime) -> tuple[Hold, ...]:
    """What must never be deleted."""
    return (
        Hold(
            id="legal-7",
            endpoint="vc-berlin",
            vm="files01",
            snapshot=None,
            owner="Legal",
            reason="a case is pending",
            created_at=now - timedelta(days=30),
            expires_at=now + timedelta(days=212),
        ),
    )
