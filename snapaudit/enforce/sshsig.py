"""Signatures over a plan's digest, made and judged by OpenSSH's own tool.

What is signed is the digest on one line, in a namespace of ours: a signature that somebody made
over anything else, or for anything else, says nothing here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from snapaudit.errors import RefusedError

NAMESPACE = "snapaudit-plan@1"
SECONDS = 10
# Not the caller's PATH: whoever runs the program must not choose who judges.
FOLDERS = "/usr/bin:/bin:/usr/local/bin"
_COUNTED = frozenset({"ED25519", "ED25519-SK"})
_MADE_WITH = re.compile(r'Good "[^"]*" signature with (\S+) key (\S+)')
_PATTERN = frozenset("*?!")
# What ssh-keygen says, and what that means to whoever reads it.
_REASONS = {
    "namespace does not match": f"is not for plans: its namespace is not {NAMESPACE}",
    "incorrect signature": "is over another digest, as of this plan before it was resealed",
    "Couldn't parse signature": "is no signature by ssh-keygen",
    "key has expired": "is by a key that has expired",
    "key is not yet valid": "is by a key that is not valid yet",
    "not permitted for use": f"is by a key that the signers file does not admit to {NAMESPACE}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Whose signature it is, by all names of its key's line; ``reason``: why it does not count."""

    principals: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    code: int | None
    out: str
    err: str

    @property
    def reason(self) -> str:
        if self.code is None:
            return f"could not be judged: ssh-keygen gave no answer within {SECONDS} s"
        known = (reason for words, reason in _REASONS.items() if words in self.err)
        return next(known, f"is not accepted: {' '.join(self.err.split())[:200]}")


class Judge:
    """Judges signatures over one digest by one list of signers, in a folder of its own."""

    def __init__(self, folder: Path, signers: bytes, digest: str) -> None:
        """Raises RefusedError where the tool is missing."""
        tool = shutil.which("ssh-keygen", path=FOLDERS)
        if tool is None:
            raise RefusedError(
                "approvals need ssh-keygen, which is not installed: install openssh-client"
            )
        self._tool, self._message = tool, f"{digest}\n".encode()
        self._signers, self._signature = folder / "signers", folder / "signature"
        self._signers.write_bytes(signers)

    def judged(self, signature: bytes) -> Judged:
        """Whether it is whole, by a key of a kind that counts, of somebody listed, valid today."""
        self._signature.write_bytes(signature)
        whole = self._said("check-novalidate", "-n", NAMESPACE)
        made_with = _MADE_WITH.match(whole.out)
        if whole.code != 0 or made_with is None:
            return Judged(reason=whole.reason)
        if made_with[1] not in _COUNTED:
            return Judged(reason=f"is by a key of type {made_with[1]}; only Ed25519 counts")
        found = self._said("find-principals", "-f", str(self._signers))
        principals = tuple(found.out.splitlines())
        if found.code != 0 or not principals:
            return Judged(reason=_why_nobody(found, made_with[2]))
        return self._by(principals)

    def _by(self, principals: tuple[str, ...]) -> Judged:
        if any(_PATTERN & set(name) for name in principals):
            return Judged(reason=f"is by a key for {principals[0]!r}, a pattern and no person")
        listed = ("-f", str(self._signers), "-I", principals[0])
        verified = self._said("verify", "-n", NAMESPACE, *listed)
        if verified.code != 0:
            return Judged(reason=verified.reason)
        return Judged(principals=principals)

    def _said(self, question: str, *words: str) -> _Said:
        command = (self._tool, "-Y", question, *words, "-s", str(self._signature))
        try:
            done = subprocess.run(  # noqa: S603 - an absolute path and words of ours, no shell
                command,
                input=self._message,
                capture_output=True,
                timeout=SECONDS,
                env={"LC_ALL": "C", "PATH": FOLDERS},
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _Said(None, "", "")
        except OSError as error:
            raise RefusedError(f"{self._tool}: cannot be started: {error.strerror}") from error
        texts = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
        return _Said(done.returncode, *texts)


def _why_nobody(found: _Said, fingerprint: str) -> str:
    if found.code is None or "valid" in found.err or "expired" in found.err:
        return found.reason
    return f"is by a key that is not in the signers file ({fingerprint})"
