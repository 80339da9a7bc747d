"""Approvals: signatures beside a plan, by people who did not make it (docs/safety.md, GRD-08)."""

from __future__ import annotations

import os
import shlex
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from snapaudit.enforce.signers import read_signers
from snapaudit.enforce.sshsig import NAMESPACE, Judge
from snapaudit.enforce.state import opened, read_all
from snapaudit.errors import RefusedError
from snapaudit.model.approvals import Approvals
from snapaudit.model.plan import Plan

MOST_SIGNATURES = 50
MAX_BYTES = 16 * 1024


def refuse_without(plan: Plan, path: Path, approvals: Approvals | None) -> tuple[str, ...]:
    """Who approved the plan that lies at the path; empty where nobody has to.

    Raises RefusedError when fewer people did than are needed: how many, why each signature beside
    the plan does not count, and the command that makes one.
    """
    if approvals is None:
        return ()
    approved, faults = _counted(plan, path.absolute(), read_signers(approvals.signers))
    if len(approved) < approvals.needed:
        raise RefusedError(_missing(plan, path.absolute(), approvals, approved, faults))
    return tuple(approved)


def sign_command(plan: Plan, path: Path) -> str:
    """What a person types to approve the plan, under a name of their choice instead of NAME."""
    file = shlex.quote(f"{path}.NAME.sig")
    key = "~/.ssh/id_ed25519"
    return f"echo {plan.digest} | ssh-keygen -Y sign -n {NAMESPACE} -f {key} > {file}"


def _missing(
    plan: Plan, path: Path, approvals: Approvals, approved: list[str], faults: list[str]
) -> str:
    found = f"{len(approved)} of {approvals.needed} approvals"
    by = f" (by {', '.join(approved)})" if approved else ""
    parts = [f"plan {plan.id} has {found}{by}", *faults]
    how = f"a person other than {plan.author} who is in {approvals.signers} looks at the plan, then"
    return f"{'; '.join(parts)}. To approve it, {how}: {sign_command(plan, path)}"


def _counted(plan: Plan, path: Path, signers: bytes) -> tuple[list[str], list[str]]:
    """Those whose signatures count, and why the other signatures do not."""
    approved: list[str] = []
    faults: list[str] = []
    taken: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="snapaudit-") as folder:
        judge = Judge(Path(folder), signers, plan.digest)
        for file in _signatures(path):
            judged = judge.judged(_content(file))
            names = {name.casefold() for name in judged.principals}
            reason = judged.reason or _objection(plan, names, taken)
            if reason is not None:
                faults.append(f"{file.name} {reason}")
                continue
            taken |= names
            approved.append(judged.principals[0])
    return approved, faults


def _objection(plan: Plan, names: set[str], taken: set[str]) -> str | None:
    author = plan.author.casefold()
    if author in names | {name.partition("@")[0] for name in names}:
        return "is by the plan's author, who cannot approve it"
    if names & taken:
        return f"is a second one by {', '.join(sorted(names & taken))}"
    return None


def _signatures(path: Path) -> Iterator[Path]:
    begin, end = f"{path.name}.", ".sig"
    try:
        names = [one.name for one in path.parent.iterdir() if one.name.startswith(begin)]
    except OSError as error:
        raise RefusedError(f"{path.parent}: cannot be listed: {error.strerror}") from error
    found = sorted(n for n in names if n.endswith(end) and len(n) > len(begin) + len(end))
    if len(found) > MOST_SIGNATURES:
        raise RefusedError(f"{path}: more than {MOST_SIGNATURES} signatures lie beside it")
    return (path.with_name(name) for name in found)


def _content(file: Path) -> bytes:
    """What the file holds; empty, which is no signature, for what no signature file is."""
    try:
        with opened(file) as handle:
            is_file = stat.S_ISREG(os.fstat(handle).st_mode)
            raw = read_all(handle, MAX_BYTES) if is_file else b""
    except OSError:
        return b""
    return raw if len(raw) <= MAX_BYTES else b""
