"""``snapaudit collect``: read the endpoints and save what they showed."""

from __future__ import annotations

import sys
from pathlib import Path

from snapaudit.app.gather import settings_of
from snapaudit.cli.exits import view_exit
from snapaudit.cli.options import Common, with_common
from snapaudit.cli.reading import read
from snapaudit.cli.writing import write_file
from snapaudit.codec.documents import inventories_document
from snapaudit.errors import UsageError
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.report.escape import plain
from snapaudit.report.phrases import count


@with_common
def command(common: Common) -> int:
    """Read the endpoints and write inventories as JSON; compressed when the name ends in .gz.

    Example: snapaudit collect -o today.json.gz
    """
    outputs = common.output or []
    if len(outputs) != 1:
        raise UsageError("collect needs exactly one -o FILE, such as -o inventory.json.gz")
    if common.format not in (None, "json"):
        raise UsageError("collect writes json only")
    path = Path(outputs[0].removeprefix("json="))
    inventories = read(common, settings_of(common.request()))
    write_file(path, inventories_document(inventories, compress=path.suffix == ".gz"))
    _tell(common, path.name, inventories)
    return view_exit(inventories)


def _tell(common: Common, name: str, inventories: tuple[Inventory, ...]) -> None:
    """On stderr: what was written, and what of it is not whole."""
    for inventory in inventories:
        if inventory.coverage.state is not CoverageState.COMPLETE:
            line = f"{inventory.endpoint}: {inventory.coverage.state}: {inventory.coverage.reason}"
            sys.stderr.write(f"{plain(line)}\n")
    if not common.quiet:
        endpoints = count(len(inventories), "endpoint")
        machines = count(sum(len(one.virtual_machines) for one in inventories), "virtual machine")
        sys.stderr.write(f"{plain(name)}: {endpoints}, {machines}\n")
