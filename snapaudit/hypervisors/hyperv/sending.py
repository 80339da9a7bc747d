"""The one call that changes something on Hyper-V: the last look and the removal in one script run.

Whatever the host finds otherwise than when the call was decided upon raises CallRefused. Where it
is not certain that nothing was done, it is another error: then only looking again can tell.
"""

from __future__ import annotations

from contextlib import closing

from snapaudit.errors import CallRefused, HypervisorError
from snapaudit.hypervisors.hyperv import calls, gaps, parsing
from snapaudit.hypervisors.hyperv.calls import about
from snapaudit.hypervisors.hyperv.rows import Answer, Removal
from snapaudit.hypervisors.hyperv.runner import Runner
from snapaudit.model.acting import Call

_LEFT_ALONE = "remove"
"""Where an error row says that it came before the removal was tried."""


def send(call: Call, runner: Runner, where: str) -> None:
    """Run the remover once. Raises CallRefused when nothing was removed, HypervisorError else."""
    if call.name not in calls.KNOWN:
        raise CallRefused(f"{call.name}: there is no such call on Hyper-V")
    if not runner.is_verified:
        raise CallRefused(f"{where}: nobody proves who answers there: nothing was sent")
    target = dict(calls.mapped(call, "target"))
    with closing(runner):
        try:
            lines = runner.run("remove", {"dry": False, "targets": [target]})
            answer = parsing.answer(lines, where)
        except HypervisorError as error:
            if runner.has_sent:
                raise
            raise CallRefused(f"{error}; nothing was sent") from error
    _judge(answer, about(call, "checkpoint"), where)


def _judge(answer: Answer, checkpoint: str, where: str) -> None:
    told = [one for one in answer.removals if one.id == checkpoint]
    if len(told) == 1 and len(answer.removals) == 1 and not answer.errors:
        return _done(told[0], where)
    if answer.errors and not told and all(e.where == _LEFT_ALONE for e in answer.errors):
        words = gaps.said(answer.errors[0])
        raise CallRefused(
            f"{where}: the host left the checkpoint alone, as it could not look: {words}"
        )
    said = "; ".join(gaps.said(error) for error in answer.errors)
    raise HypervisorError(f"{where}: what became of the removal is not clear: {said or 'no word'}")


def _done(removal: Removal, where: str) -> None:
    if removal.kind != "removed":
        why = removal.why or "it gives no reason"
        raise CallRefused(f"{where}: the host left the checkpoint alone: {why}")
