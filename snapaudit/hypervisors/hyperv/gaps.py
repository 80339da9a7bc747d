"""What should have been read and was not; nothing that was not seen counts as absent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from snapaudit.hypervisors.hyperv.chains import Machine
from snapaudit.hypervisors.hyperv.cluster import Found, Reading, plain, unclaimed
from snapaudit.hypervisors.hyperv.rows import ErrorRow
from snapaudit.model.inventory import Coverage, CoverageState, Gap

_NOTHING_VISIBLE = (
    "not one virtual machine is visible: there is none, or this account may not see them "
    "(Hyper-V lists nothing, without a word, to who is not in Hyper-V Administrators)"
)
# What an error may be about without casting doubt on the machines' and checkpoints' records.
_BESIDE_RECORDS = frozenset({"disk", "folder", "vol", "csv", "event", "cluster", "merge"})
# WBEM_E_INVALID_CLASS: a release that cannot switch merging off does not have the setting.
_NO_SUCH_CLASS = 0x80041010


def gaps(reading: Reading, machines: Sequence[Machine]) -> tuple[Gap, ...]:
    """Every node, object and chain that could not be read, each once."""
    return tuple(dict.fromkeys(_gaps(reading, machines)))


def _gaps(reading: Reading, machines: Sequence[Machine]) -> Iterator[Gap]:
    for node, reason in reading.failed.items():
        yield Gap(subject=f"node {node}", reason=reason)
    for node, answer in reading.answers.items():
        for error in filter(is_gap, answer.errors):
            subject = _subject(error) if reading.is_one_host else f"{node}: {_subject(error)}"
            yield Gap(subject=subject, reason=said(error))
    for node, row in unclaimed(reading):
        reason = f"its machine {row.machine} is not listed on {node}, nor anywhere else"
        yield Gap(subject=f"checkpoint {row.name}", reason=reason)
    yield from _of_chains(machine for machine in machines if reading.asked_disks_of(machine.id))


def is_gap(error: ErrorRow) -> bool:
    """Whether something was not read that this release of Windows has."""
    number = (error.number or 0) & 0xFFFFFFFF
    return not (error.where == "merge" and number == _NO_SUCH_CLASS)


def _of_chains(machines: Iterable[Machine]) -> Iterator[Gap]:
    """Chains that should have been followed. An image that is known to be gone is a finding."""
    for machine in machines:
        for chain in machine.chains:
            if chain.trouble is not None and chain.lost is None:
                subject = f"virtual machine {machine.found.row.name}"
                yield Gap(subject=subject, reason=chain.trouble)


def _subject(error: ErrorRow) -> str:
    return f"{error.where} {error.id}" if error.id else error.where


def said(error: ErrorRow) -> str:
    """An error in one line, with its number, which is the same in every language."""
    words = " ".join(error.message.split()) or error.error_id or "no reason was told"
    return words if error.number is None else f"{words} (0x{error.number & 0xFFFFFFFF:08X})"


def coverage(reading: Reading, found: Sequence[Gap]) -> Coverage:
    """How much was seen: a node that did not answer is named first."""
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        reason = f"{found[0].subject}: {found[0].reason}{more}"
        return Coverage(state=CoverageState.PARTIAL, reason=reason)
    if not any(answer.machines for answer in reading.answers.values()):
        return Coverage(state=CoverageState.SUSPICIOUS, reason=_NOTHING_VISIBLE)
    return Coverage(state=CoverageState.COMPLETE)


def unread(found: Found, reading: Reading) -> Iterator[str]:
    """What could not be read of a machine's own records, or of those of its whole node."""
    ours = {found.id, found.row.name, *(checkpoint.id for checkpoint in found.checkpoints)}
    for node in dict.fromkeys(found.nodes):
        for error in filter(is_gap, reading.answers[node].errors):
            is_of_all = not error.id and error.where not in _BESIDE_RECORDS
            if is_of_all or (error.id and (error.id in ours or plain(error.id) in ours)):
                yield f"{_subject(error)}: {said(error)}"
