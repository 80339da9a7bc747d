"""Approvals: how many people have to sign a plan before it may be carried out, and who may."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """``needed``: at least one. ``signers``: who may, as OpenSSH lists its allowed signers."""

    needed: int
    signers: Path
