"""How merges are done on an endpoint, from its options."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from snapaudit.errors import UsageError
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.units import UnitError, parse_size

_MANUAL_FROM = "10GiB"


class Merge(StrEnum):
    """By libvirt's own deletion, by block jobs and qemu-img of ours, or whichever suits."""

    AUTO = "auto"
    NATIVE = "native"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``rate_bytes``: the most a merge by hand may copy a second, None: as fast as it can.

    ``manual_from_bytes``: overlays of this size and more are merged by hand, since libvirt's own
    deletion can be neither slowed down nor stopped.
    """

    merge: Merge
    rate_bytes: int | None
    manual_from_bytes: int


def settings(endpoint: Endpoint) -> Settings:
    """The endpoint's options. Raises UsageError naming endpoint, option and what is accepted."""
    chosen = str(endpoint.options.get("merge", Merge.AUTO))
    if chosen not in tuple(Merge):
        known = ", ".join(Merge)
        raise UsageError(f"endpoint {endpoint.name}: merge: {chosen!r} is none of {known}")
    return Settings(
        merge=Merge(chosen),
        rate_bytes=_size(endpoint, "merge_rate", None),
        manual_from_bytes=_size(endpoint, "manual_from", _MANUAL_FROM) or 0,
    )


def _size(endpoint: Endpoint, option: str, default: str | None) -> int | None:
    text = endpoint.options.get(option, default)
    if text is None:
        return None
    try:
        size = parse_size(str(text))
    except UnitError as error:
        raise UsageError(f"endpoint {endpoint.name}: {option}: {error}") from error
    if not size and option == "merge_rate":
        raise UsageError(f"endpoint {endpoint.name}: merge_rate: a merge at no rate never ends")
    return size
