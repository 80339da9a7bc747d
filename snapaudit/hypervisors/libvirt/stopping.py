"""Taking back a merge of a running machine, which only a person can ask for.

Without PIVOT the machine goes on with the chain that it has, and nothing of it is lost. What had
been copied by then stays in the image below: the snapshot that froze it is no longer to be trusted.
"""

from __future__ import annotations

from snapaudit.errors import CallRefused
from snapaudit.hypervisors.libvirt import calls, definitions
from snapaudit.hypervisors.libvirt.calls import about
from snapaudit.hypervisors.libvirt.sending import Ready, Target
from snapaudit.model.acting import Call


def stop_of(merge: Call) -> Call | None:
    """The call that takes a merge back; None for every call that is no block job by hand."""
    if merge.name != calls.COMMIT:
        return None
    named = {key: merge.about[key] for key in ("vm_id", "disk", "overlay", "base")}
    return Call(name=calls.ABORT, about=named, completes=True)


def ready(call: Call, target: Target) -> Ready:
    """Look whether it still is that merge. Raises CallRefused and libvirt's own errors."""
    domain, disk = target.domain, about(call, "disk")
    if not domain.isActive():
        raise CallRefused("the machine is off, so nothing is merged any more: nothing was sent")
    text = domain.XMLDesc(0)
    chain = [target.resolve(name) for name in definitions.chain(text, disk)]
    pair = [about(call, "overlay"), about(call, "base")]
    if not any(chain[at : at + 2] == pair for at in range(len(chain))):
        raise CallRefused(f"disk {disk} no longer stands as it did: nothing was sent")
    _must_be_ours(call, target, text)
    return Ready(lambda: domain.blockJobAbort(disk, 0), f"blockjob:{disk}")


def _must_be_ours(call: Call, target: Target, text: str) -> None:
    sdk, disk = target.sdk, about(call, "disk")
    merging = {
        sdk.VIR_DOMAIN_BLOCK_JOB_TYPE_COMMIT,
        sdk.VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT,
    }
    if target.domain.blockJobInfo(disk, 0).get("type") not in merging:
        raise CallRefused(f"no merge of disk {disk} runs any more: nothing was sent")
    mirror = definitions.mirror(text, disk)
    if mirror is not None and target.resolve(mirror.path) != about(call, "base"):
        raise CallRefused(f"the block job of disk {disk} copies elsewhere: nothing was sent")
