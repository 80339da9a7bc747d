"""Checkers that somebody else wrote, for the formats that somebody else reads."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.beds.kept import kept
from tests.beds.required import require_bed, require_program


def promtool() -> str:
    """Prometheus' own checker, from the system or out of its package."""
    own = kept() / "prometheus" / "usr" / "bin" / "promtool"
    found = shutil.which("promtool") or (str(own) if own.exists() else None)
    if found is None:
        require_bed("promtool is not there (it is in Debian's package prometheus)")
    return found


def said_by(*command: str, body: bytes = b"", cwd: Path | None = None) -> tuple[int, str]:
    """The exit code of a checker, and all that it says of the body."""
    done = subprocess.run(
        command, input=body, capture_output=True, timeout=120, check=False, cwd=cwd
    )
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def promtool_said_of_metrics(body: bytes) -> tuple[int, str]:
    """0 and nothing for metrics that are right; 3 with its advice, 1 with the fault."""
    return said_by(promtool(), "check", "metrics", body=body)


def xmllint_said(body: bytes, schema: Path) -> tuple[int, str]:
    """0 for a document that keeps to the XML schema."""
    program = require_program("xmllint")
    return said_by(program, "--noout", "--nonet", "--schema", str(schema), "-", body=body)


def prove_said(body: bytes, folder: Path) -> tuple[int, str]:
    """What Perl's own TAP harness makes of a protocol."""
    program = require_program("prove")
    (folder / "report.tap").write_bytes(body)
    return said_by(program, "--exec", "cat", "report.tap", cwd=folder)
