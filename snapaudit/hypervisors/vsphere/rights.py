"""Which rights an account holds on what it sees, and which it lacks or need not have.

Privilege ids and where they are checked are told in `docs/hypervisors/vsphere.md`. An account that
may not see an object gets fewer objects and no error, so what is visible is counted too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from snapaudit.errors import AccessDenied, Gone
from snapaudit.hypervisors.vsphere.paths import (
    DATACENTER,
    DATASTORE,
    FOLDER,
    HOST,
    VIRTUAL_MACHINE,
)
from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.hypervisors.vsphere.service import Service

SEEING = ("System.View", "System.Read")
BROWSING = "Datastore.Browse"
REMOVING = "VirtualMachine.State.RemoveSnapshot"
# Rights to do what is never done here: an account without them cannot be made to do it either.
NEVER: Mapping[str, tuple[str, ...]] = {
    VIRTUAL_MACHINE: (
        "VirtualMachine.State.RevertToSnapshot",
        "VirtualMachine.State.CreateSnapshot",
    ),
    DATASTORE: ("Datastore.FileManagement", "Datastore.DeleteFile"),
}

_ASKED: Mapping[str, tuple[str, ...]] = {
    HOST: SEEING,
    VIRTUAL_MACHINE: (*SEEING, REMOVING, *NEVER[VIRTUAL_MACHINE]),
    DATASTORE: (*SEEING, BROWSING, *NEVER[DATASTORE]),
}
WORDS = {VIRTUAL_MACHINE: "machine", HOST: "host", DATASTORE: "datastore"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an account sees: names by moid, and the root above it all, where it is one."""

    root: str | None
    seen: Mapping[str, Mapping[str, str]]

    def of(self, kind: str) -> Mapping[str, str]:
        """Names by moid of one kind of objects."""
        return self.seen.get(kind, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """The privileges that were asked about and are held, by moid."""

    scope: Scope
    held: Mapping[str, frozenset[str]]

    def lacking(self, kind: str, privilege: str) -> tuple[str, ...]:
        """Names of the objects of a kind on which the privilege is not held."""
        named = self.scope.of(kind).items()
        none = frozenset[str]()
        return tuple(name for moid, name in named if privilege not in self.held.get(moid, none))

    def holding(self, kind: str, privilege: str) -> int:
        """On how many objects of a kind the privilege is held."""
        return len(self.scope.of(kind)) - len(self.lacking(kind, privilege))


def read_scope(service: Service) -> Scope:
    """Everything that the account sees. Raises HypervisorError."""
    named = dict.fromkeys(WORDS, ("name",))
    return scope_of(service.read({**named, FOLDER: ("parent",), DATACENTER: ("parent",)}))


def scope_of(objects: Iterable[RawObject]) -> Scope:
    """The root is the folder without a parent, or the one parent that is not among what is seen."""
    seen: dict[str, dict[str, str]] = {kind: {} for kind in WORDS}
    places, parents, tops = set[str](), set[str](), set[str]()
    for one in objects:
        if one.kind in WORDS:
            seen[one.kind][one.moid] = str(one.values.get("name", one.moid))
            continue
        places.add(one.moid)
        if "parent" in one.values:
            parents.add(str(one.values["parent"]))
        elif "parent" not in one.missing:
            tops.add(one.moid)
    above = tops or parents - places
    return Scope(root=above.pop() if len(above) == 1 else None, seen=seen)


def read_rights(service: Service, scope: Scope) -> Rights:
    """Ask for the privileges on all of it. Raises HypervisorError where the server cannot tell."""
    held = _held_on_root(service, scope.root)
    for kind in WORDS:
        moids = list(scope.of(kind))
        if moids:
            held |= service.privileges(moids, dict.fromkeys(moids, kind), _ASKED[kind])
    return Rights(scope=scope, held=held)


def _held_on_root(service: Service, root: str | None) -> dict[str, frozenset[str]]:
    """What looks like the root may be an object that the account does not see."""
    if root is None:
        return {}
    try:
        return dict(service.privileges([root], {root: FOLDER}, SEEING))
    except (AccessDenied, Gone):
        return {}
