"""``snapaudit init``: a commented configuration to start from."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from typer import Option

from snapaudit.app.local import local_endpoints
from snapaudit.cli.exits import Exit
from snapaudit.cli.writing import write_file
from snapaudit.config.template import text
from snapaudit.errors import UsageError


def command(
    output: Annotated[
        Path, Option("-o", "--output", help="Where to write it.", metavar="FILE")
    ] = Path("snapaudit.yaml"),
    yes: Annotated[bool, Option("--yes", help="Replace a file that is there.")] = False,
) -> int:
    """Write a commented snapaudit.yaml; a libvirt daemon on this machine is filled in.

    Example: snapaudit init
    """
    if output.exists() and not yes:
        raise UsageError(f"{output} exists; name another with -o, or replace it with --yes")
    found = local_endpoints(os.environ)
    write_file(output, text(found).encode())
    what = ", ".join(endpoint.url for endpoint in found) or "no hypervisor found here; add yours"
    sys.stderr.write(f"{output}: written ({what})\n")
    return Exit.DONE
