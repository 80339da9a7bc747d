"""How far a call is, also one that another process made: read off the machine itself."""

from __future__ import annotations

from typing import Any

from snapaudit.hypervisors.libvirt import calls, definitions, offline
from snapaudit.hypervisors.libvirt.calls import about
from snapaudit.hypervisors.libvirt.definitions import Mirror
from snapaudit.hypervisors.libvirt.sending import Target
from snapaudit.model.acting import Call, Phase, Watched

OVER = Watched(phase=Phase.OVER)
_PAUSED, _STARTING = 3, 11
_STOPPED = "the machine stopped while it was merging; its disks are as they were before"
_VANISHED = (
    "the block job ended before it was complete, and libvirt does not say why (often: no space "
    "left); the chain is as it was"
)


def figures(call: Call, target: Target) -> Watched:
    """A call that runs, with the bytes of the block job, where one answers."""
    for disk in _disks(call, target):
        info = target.domain.blockJobInfo(disk, 0)
        if info:
            return _running(info)
    return Watched(phase=Phase.RUNNING)


def watched(call: Call, target: Target) -> Watched:
    """What can be seen of a call that was made. OVER: nothing of it runs any more."""
    match call.name:
        case calls.COMMIT:
            return _commit(call, target)
        case calls.PIVOT:
            return _pivot(call, target)
        case calls.DELETE:
            return figures(call, target) if _is_at_work(target.domain) else OVER
        case calls.MERGE_OFFLINE:
            return _merge_offline(call, target)
    return OVER


def _commit(call: Call, target: Target) -> Watched:
    if not target.domain.isActive():
        return Watched(phase=Phase.FAILED, reason=_STOPPED)
    disk = about(call, "disk")
    info, text = target.domain.blockJobInfo(disk, 0), target.domain.XMLDesc(0)
    mirror = definitions.mirror(text, disk)
    if mirror is not None and mirror.is_ready:
        return OVER
    if info or mirror is not None:
        return _running(info)
    chain = [target.resolve(name) for name in definitions.chain(text, disk)]
    is_still_there = about(call, "overlay") in chain
    return Watched(phase=Phase.FAILED, reason=_VANISHED) if is_still_there else OVER


def _pivot(call: Call, target: Target) -> Watched:
    mirror = _mirror(target.domain, about(call, "disk"))
    return OVER if mirror is None or mirror.is_ready else Watched(phase=Phase.RUNNING)


def _merge_offline(call: Call, target: Target) -> Watched:
    if target.domain.isActive():
        return OVER
    try:
        is_at_work = offline.is_at_work(about(call, "overlay"))
    except OSError:
        return OVER
    return Watched(phase=Phase.RUNNING) if is_at_work else OVER


def _mirror(domain: Any, disk: str) -> Mirror | None:
    return definitions.mirror(domain.XMLDesc(0), disk)


def _is_at_work(domain: Any) -> bool:
    """Whether libvirt deletes on: a job, a block job short of its end, or a start for its sake.

    A block job that is ready waits for whoever asked for it. When the daemon that did is gone,
    nobody comes.
    """
    if not domain.isActive():
        return False
    if domain.jobInfo()[0] or tuple(domain.state()) == (_PAUSED, _STARTING):
        return True
    text = domain.XMLDesc(0)
    mirrors = (definitions.mirror(text, disk) for disk in definitions.targets(text))
    return any(mirror is not None and not mirror.is_ready for mirror in mirrors)


def _disks(call: Call, target: Target) -> list[str]:
    if "disk" in call.about:
        return [about(call, "disk")]
    return definitions.targets(target.domain.XMLDesc(0)) if target.domain.isActive() else []


def _running(info: dict[str, int]) -> Watched:
    return Watched(
        phase=Phase.RUNNING, done_bytes=info.get("cur"), total_bytes=info.get("end") or None
    )
