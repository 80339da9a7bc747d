"""Snapshot names with the purpose a person gave each: what the classifier is judged on.

About three in five were found in public scripts, notes, manuals and issue threads; those that are
``composed`` are written in the manner of administrators. ``names.csv`` was read to find mistakes
from the beginning. ``names-second.csv`` is its other half, dealt out by a digest of the name: its
figures were taken blind once, and since then its mistakes have been read as well.
``names-fresh.csv`` came later and repeats neither: its figures were taken blind as well, and since
then its mistakes have been read too, so none of the three is unread. What they give is how well the
classifier knows what it was shown. ``names-unread.csv`` was written without a look at the words or
at the other files, and no mistake in it has been looked at: what it gives is the nearest to what to
expect of names never seen. Whoever looks at one has to say so here.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

SEEN = Path(__file__).with_name("names.csv")
SECOND = Path(__file__).with_name("names-second.csv")
FRESH = Path(__file__).with_name("names-fresh.csv")
UNREAD = Path(__file__).with_name("names-unread.csv")
LABELS = {
    "backup_product": "temporary or base snapshot of a backup product or script, also left behind",
    "makeshift_backup": "kept by a person as a copy of the state, or as a state that works",
    "change_safety": "tied to a change or a risky act, whether or not it also says backup",
    "replication": "of a replica, of disaster recovery, of send and receive",
    "clone_base": "clones, overlays or desktop catalogues stand on it",
    "automation": "left by a tool or a pipeline that is none of the others",
    "scheduled": "of a periodic policy, also one that calls itself a backup",
    "unknown": "a bare or default name, which tells no purpose",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledName:
    """One row, its columns in order; ``memory`` and ``quiesced`` are None where nobody knows.

    ``note`` says ``hard`` of what is named after a backup, a product or a clone and is something
    else, and ``ambiguous`` where reasonable people differ. A classifier is given neither ``note``
    nor ``source``, ``label`` or ``language``.
    """

    id: str
    hypervisor: str
    vm_name: str
    name: str
    description: str
    creator: str
    memory: bool | None
    quiesced: bool | None
    label: str
    language: str
    source: str
    note: str


def labelled(path: Path) -> tuple[LabelledName, ...]:
    """The rows of one of the files; KeyError or TypeError where a word or a column is not known."""
    with path.open(encoding="utf-8", newline="") as lines:
        return tuple(_row(cells) for cells in csv.DictReader(lines))


def _row(cells: dict[str, str]) -> LabelledName:
    known = {"true": True, "false": False, "": None}
    flags = {flag: known[cells.pop(flag)] for flag in ("memory", "quiesced")}
    return LabelledName(**cells, **flags)  # type: ignore[arg-type]
