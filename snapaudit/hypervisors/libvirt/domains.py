"""Reads all domains in as few and as parallel calls as libvirt allows.

There is no call that returns the XML of several snapshots, so one call per snapshot is the floor.
Flags on the list call say for all domains at once which are persistent, saved, or have snapshots or
checkpoints, and one bulk call gives state and block figures of every image in every chain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from snapaudit.hypervisors.libvirt.crew import Crew
from snapaudit.hypervisors.libvirt.failures import is_gone, is_unsupported, text_of
from snapaudit.hypervisors.libvirt.raw import RawDomain

_TRIES = 3
# A driver that does not know these, like the one of plain Xen, has none of them.
_ABSENT = frozenset({"HAS_SNAPSHOT", "HAS_CHECKPOINT"})
Uuids = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Marks:
    """Which domains carry a mark; None where the daemon could not say, so any domain may."""

    persistent: Uuids | None
    managed_save: Uuids | None
    snapshot: Uuids | None
    checkpoint: Uuids | None


def read(
    sdk: Any,
    connection: Any,
    threads: Crew,
    trouble: list[str],
    seen: Callable[[int, int], None],
) -> list[RawDomain]:
    """Every domain the account may see. One that vanishes while it is read is left out.

    ``trouble`` gains a line for each list that could not be read. Raises libvirtError when the
    connection is lost.
    """
    listed = connection.listAllDomains(0)
    marks = _marks(sdk, connection, trouble)
    stats = _stats(sdk, connection, trouble)

    def one(domain: Any) -> RawDomain | None:
        return _domain(sdk, connection, domain, marks, stats.get(domain.UUIDString(), {}))

    found = []
    for done, raw in enumerate(threads.map(one, listed), start=1):
        seen(done, len(listed))
        if raw is not None:
            found.append(raw)
    return found


def _marks(sdk: Any, connection: Any, trouble: list[str]) -> _Marks:
    def marked(flag: str) -> Uuids | None:
        try:
            listed = connection.listAllDomains(getattr(sdk, f"VIR_CONNECT_LIST_DOMAINS_{flag}"))
        except sdk.libvirtError as error:
            if is_unsupported(error) and flag in _ABSENT:
                return frozenset()
            trouble.append(f"list of domains by {flag}: {text_of(error)}")
            return None
        return frozenset(domain.UUIDString() for domain in listed)

    return _Marks(*map(marked, ("PERSISTENT", "MANAGEDSAVE", "HAS_SNAPSHOT", "HAS_CHECKPOINT")))


def _stats(sdk: Any, connection: Any, trouble: list[str]) -> dict[str, dict[str, Any]]:
    """State and block figures by domain; NOWAIT leaves out what a busy domain cannot tell now."""
    flags = sdk.VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING
    flags |= sdk.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    wanted = sdk.VIR_DOMAIN_STATS_STATE | sdk.VIR_DOMAIN_STATS_BLOCK
    try:
        answer = connection.getAllDomainStats(wanted, flags)
    except sdk.libvirtError as error:
        if is_unsupported(error):
            return {}
        trouble.append(f"block figures: {text_of(error)}")
        return {}
    return {domain.UUIDString(): figures for domain, figures in answer}


def _domain(
    sdk: Any, connection: Any, domain: Any, marks: _Marks, stats: dict[str, Any]
) -> RawDomain | None:
    uuid = domain.UUIDString()
    raw = RawDomain(
        uuid=uuid,
        name=domain.name(),
        state=stats.get("state.state", 0),
        reason=stats.get("state.reason", 0),
        persistent=marks.persistent is None or uuid in marks.persistent,
        managed_save=marks.managed_save is not None and uuid in marks.managed_save,
        job=0,
        xml="",
        inactive_xml=None,
        blocks={key: value for key, value in stats.items() if key.startswith("block.")},
        snapshots=[],
        current=None,
        checkpoints=[],
        trouble=[
            f"nobody could tell whether it is {word}"
            for word, mark in (
                ("persistent", marks.persistent),
                ("saved", marks.managed_save),
            )
            if mark is None
        ],
    )
    try:
        _fill(sdk, domain, raw, marks)
    except sdk.libvirtError as error:
        if is_gone(error):
            return None
        if not connection.isAlive():
            raise
        raw["trouble"].append(text_of(error))
    return raw


def _fill(sdk: Any, domain: Any, raw: RawDomain, marks: _Marks) -> None:
    raw["xml"] = domain.XMLDesc(0)
    if not raw["state"]:
        raw["state"], raw["reason"] = domain.state(0)
    if raw["state"] not in (sdk.VIR_DOMAIN_SHUTOFF, sdk.VIR_DOMAIN_CRASHED):
        raw["job"] = _job(sdk, domain)
        if raw["persistent"]:
            raw["inactive_xml"] = _inactive_xml(sdk, domain)
    if marks.snapshot is None or raw["uuid"] in marks.snapshot:
        raw["snapshots"], raw["current"] = _snapshots(sdk, domain)
    if marks.checkpoint is None or raw["uuid"] in marks.checkpoint:
        raw["checkpoints"] = _checkpoints(sdk, domain)


def _inactive_xml(sdk: Any, domain: Any) -> str:
    return str(domain.XMLDesc(sdk.VIR_DOMAIN_XML_INACTIVE))


def _job(sdk: Any, domain: Any) -> int:
    """The kind of job that runs on a domain, 0 for none. Some drivers know no jobs."""
    try:
        return int(domain.jobInfo()[0])
    except sdk.libvirtError as error:
        if is_unsupported(error):
            return 0
        raise


def _checkpoints(sdk: Any, domain: Any) -> list[str]:
    try:
        return [point.getXMLDesc(0) for point in domain.listAllCheckpoints(0)]
    except sdk.libvirtError as error:
        if is_unsupported(error):
            return []
        raise


def _snapshots(sdk: Any, domain: Any) -> tuple[list[str], str | None]:
    """All snapshots' XML and the current one's name.

    When one vanishes in between, libvirt has rewritten its neighbours: everything is read again.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            listed = domain.listAllSnapshots(0)
            texts = [snapshot.getXMLDesc(0) for snapshot in listed]
            return texts, _current(sdk, domain) if listed else None
        except sdk.libvirtError as error:
            if is_unsupported(error):
                return [], None
            if not is_gone(error) or attempt == _TRIES:
                raise
    raise AssertionError("the loop above returns or raises")


def _current(sdk: Any, domain: Any) -> str | None:
    try:
        return str(domain.snapshotCurrent(0).getName())
    except sdk.libvirtError as error:
        if is_gone(error):
            return None
        raise
