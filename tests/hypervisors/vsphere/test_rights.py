"""Rights: what is lacking and what is too much, on which objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest

from snapaudit.errors import Gone, Unreachable
from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.hypervisors.vsphere.rights import (
    BROWSING,
    REMOVING,
    SEEING,
    Rights,
    Scope,
    read_rights,
    read_scope,
    scope_of,
)
from snapaudit.hypervisors.vsphere.roles import audit_probes, enforcement_probes, visible
from snapaudit.model.examination import Probe, ProbeState
from tests.hypervisors.vsphere.silent import SilentService

REVERTING, CREATING = (
    f"VirtualMachine.State.{what}" for what in ("RevertToSnapshot", "CreateSnapshot")
)
FILES = "Datastore.FileManagement"
PLACES = (
    RawObject("Datacenter", "datacenter-2", {"parent": "group-d1"}),
    RawObject("Folder", "group-v3", {"parent": "datacenter-2"}),
)
THINGS = (
    RawObject("VirtualMachine", "vm-1", {"name": "web01"}),
    RawObject("VirtualMachine", "vm-2", {"name": "db01"}),
    RawObject("HostSystem", "host-1", {"name": "esx1"}),
    RawObject("Datastore", "datastore-1", {"name": "ssd"}),
)
SCOPE = scope_of((*PLACES, *THINGS))


def rights(*everywhere: str, scope: Scope = SCOPE, **more: Sequence[str]) -> Rights:
    """These privileges on all, and more by the object's moid with _ for -; `no` takes away."""
    moids = [moid for named in scope.seen.values() for moid in named]
    moids += [scope.root] if scope.root else []
    held = {moid: frozenset(everywhere) for moid in moids}
    for moid, privileges in more.items():
        held[moid.replace("_", "-")] = frozenset(privileges)
    return Rights(scope=scope, held=held)


def audited(seen: Rights, *, searches: bool = False) -> dict[str, Probe]:
    return {probe.name: probe for probe in audit_probes(seen, searches=searches)}


def enforced(seen: Rights, before: Scope = SCOPE) -> dict[str, Probe]:
    return {probe.name: probe for probe in enforcement_probes(seen, before)}


def states(probes: Mapping[str, Probe]) -> set[ProbeState]:
    return {probe.state for probe in probes.values()}


# what is seen -------------------------------------------------------------------------------------


def test_root_is_the_parent_that_is_not_among_what_it_holds() -> None:
    assert SCOPE.root == "group-d1"


def test_root_that_is_listed_itself_is_known_by_having_no_parent() -> None:
    assert scope_of((*PLACES, RawObject("Folder", "group-d1", {}))).root == "group-d1"


def test_several_tops_and_unreadable_parents_are_no_root() -> None:
    stray = RawObject("Folder", "group-v9", {"parent": "datacenter-8"})
    assert scope_of((*PLACES, stray)).root is None
    assert scope_of([RawObject("Folder", "group-v9", {}, {"parent": "NoPermission"})]).root is None


def test_what_is_visible_is_counted() -> None:
    probe = visible(SCOPE)
    assert (probe.state, probe.sentence) == (ProbeState.OK, "2 machines, 1 host, 1 datastore")


def test_inv_22_no_machine_visible_is_not_well() -> None:
    probe = visible(scope_of(PLACES))
    assert probe.state is ProbeState.FAILED
    assert probe.repair is not None


# audit --------------------------------------------------------------------------------------------


def test_role_for_audits_is_well() -> None:
    assert states(audited(rights(*SEEING))) == {ProbeState.OK}


def test_root_that_may_not_be_read_is_told() -> None:
    probe = audited(rights(*SEEING, group_d1=()))["root"]
    assert probe.state is ProbeState.WARNING
    assert audited(rights(*SEEING, scope=scope_of(THINGS)))["root"].state is ProbeState.WARNING


def test_objects_on_which_reading_is_lacking_are_named() -> None:
    probe = audited(rights(*SEEING, vm_2=("System.View",), datastore_1=()))["audit rights"]
    assert probe.state is ProbeState.FAILED
    assert "System.Read on 1 of 2 (db01) machines" in probe.sentence
    assert "System.View on 1 of 1 (ssd) datastores" in probe.sentence
    assert "hosts" not in probe.sentence


def test_many_names_are_shortened() -> None:
    many = [RawObject("VirtualMachine", f"vm-{n}", {"name": f"web{n:02}"}) for n in range(40)]
    probe = audited(rights(scope=scope_of(many)))["audit rights"]
    assert "40 of 40 (web00, web01, web02, ...)" in probe.sentence


def test_right_to_browse_is_wanted_where_datastores_are_searched_only() -> None:
    assert "orphan search" not in audited(rights(*SEEING))
    assert audited(rights(*SEEING), searches=True)["orphan search"].state is ProbeState.FAILED
    assert states(audited(rights(*SEEING, BROWSING), searches=True)) == {ProbeState.OK}


@pytest.mark.parametrize("privilege", [REMOVING, REVERTING, CREATING, FILES])
def test_auditor_that_may_change_something_is_told(privilege: str) -> None:
    probe = audited(rights(*SEEING, privilege))["audit excess"]
    assert probe.state is ProbeState.WARNING
    assert privilege in probe.sentence


# enforcement --------------------------------------------------------------------------------------


def test_role_for_enforcement_is_well() -> None:
    assert states(enforced(rights(*SEEING, REMOVING))) == {ProbeState.OK}


def test_no_right_to_remove_anywhere_fails_and_on_some_machines_warns() -> None:
    nowhere = enforced(rights(*SEEING))["enforcement rights"]
    somewhere = enforced(rights(*SEEING, vm_1=(*SEEING, REMOVING)))["enforcement rights"]
    assert (nowhere.state, somewhere.state) == (ProbeState.FAILED, ProbeState.WARNING)
    assert "2 of 2" in nowhere.sentence
    assert "1 of 2 (db01)" in somewhere.sentence


@pytest.mark.parametrize("privilege", [REVERTING, CREATING, FILES])
def test_enforcer_that_may_do_more_than_remove_is_told(privilege: str) -> None:
    probe = enforced(rights(*SEEING, REMOVING, privilege))["enforcement excess"]
    assert probe.state is ProbeState.WARNING
    assert privilege in probe.sentence


def test_inv_13_enforcer_that_sees_less_than_the_audit_is_told() -> None:
    fewer = scope_of((*PLACES, *THINGS[:1], *THINGS[2:]))
    probe = enforced(rights(*SEEING, REMOVING, scope=fewer))["enforcement visible"]
    assert probe.state is ProbeState.WARNING
    assert "1 of 2 (db01)" in probe.sentence


# asking -------------------------------------------------------------------------------------------


class Office(SilentService):
    """Shows these objects, and grants everything that is asked for on those it knows."""

    def __init__(self, *things: RawObject, root: str | None = "group-d1", lost: bool = False):
        self._things, self._root, self._lost = things, root, lost
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def read(self, wanted: Mapping[str, Sequence[str]]) -> Iterator[RawObject]:
        yield from (one for one in self._things if one.kind in wanted)

    def privileges(
        self, moids: Sequence[str], kinds: Mapping[str, str], names: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        if self._lost:
            raise Unreachable("vc1: connection reset")
        if kinds[moids[0]] == "Folder" and moids[0] != self._root:
            raise Gone(f"{moids[0]} is no folder")
        self.asked.append((kinds[moids[0]], tuple(names)))
        return {moid: frozenset(names) for moid in moids}


def test_each_kind_is_asked_about_once_and_about_what_matters_on_it() -> None:
    office = Office(*PLACES, *THINGS)
    found = read_rights(office, read_scope(office))
    asked = dict(office.asked)
    assert len(office.asked) == len(asked) == 4
    assert asked["Folder"] == asked["HostSystem"] == SEEING
    assert {REMOVING, REVERTING, CREATING} < set(asked["VirtualMachine"])
    assert {BROWSING, FILES} < set(asked["Datastore"])
    assert found.lacking("VirtualMachine", REMOVING) == ()


def test_object_that_only_looks_like_the_root_is_not_held() -> None:
    office = Office(*PLACES, *THINGS, root=None)
    found = read_rights(office, read_scope(office))
    assert audited(found)["root"].state is ProbeState.WARNING
    assert audited(found)["audit rights"].state is ProbeState.OK


def test_connection_that_breaks_is_not_taken_for_a_lack_of_rights() -> None:
    office = Office(*PLACES, *THINGS, lost=True)
    with pytest.raises(Unreachable):
        read_rights(office, read_scope(office))
