"""Environment: which named group of machines a machine belongs to; the first match wins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from snapaudit.codec import expect
from snapaudit.errors import InputError, Place
from snapaudit.model.inventory import VirtualMachine
from snapaudit.model.policy import Environment

DEFAULT = "default"


def refuse_unknown(name: str, place: Place, known: Collection[str]) -> None:
    """Raise InputError for an environment that is not among the known ones."""
    if name not in known:
        message = f"there is no environment {name!r}; known: {', '.join(sorted(known))}"
        raise InputError(place, message, nearest=expect.nearest(name, known))


def environment_of(
    vm: VirtualMachine, endpoint: str, environments: Sequence[Environment]
) -> str | None:
    """The name of the first environment whose every kind of condition holds, None without one.

    Within one kind (tags, names, ids, endpoints) any entry is enough; names are shell wildcards.
    """
    for environment in environments:
        if _holds(environment, vm, endpoint):
            return environment.name
    return None


def _holds(environment: Environment, vm: VirtualMachine, endpoint: str) -> bool:
    return (
        (not environment.tags or not environment.tags.isdisjoint(vm.tags))
        and (not environment.ids or vm.id in environment.ids)
        and (not environment.endpoints or endpoint in environment.endpoints)
        and (not environment.names or any(fnmatchcase(vm.name, n) for n in environment.names))
    )
