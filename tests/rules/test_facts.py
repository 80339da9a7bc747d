from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from snapaudit.codec.yaml import parse_yaml
from snapaudit.errors import InputError
from snapaudit.model.inventory import (
    Attribute,
    Gap,
    Host,
    Inventory,
    LayerRole,
    PowerState,
    Snapshot,
    VirtualMachine,
)
from snapaudit.model.policy import SubjectKind
from snapaudit.rules.answers import answer_of, compile_condition
from snapaudit.rules.columns import Columns
from snapaudit.rules.conditions import read_condition
from snapaudit.rules.facts import Fact, all_facts, facts_of
from snapaudit.rules.facts.registry import fact as register
from snapaudit.rules.purposes.classifier import classifier
from snapaudit.rules.quantity import Unknown
from snapaudit.rules.scene import MachineScene
from snapaudit.rules.staging import stage
from tests.builders import GIB, NOW, datastore, disk, gain, inventory, layer, snapshot, stray, vm

VM, SHOT, STORE = SubjectKind.VIRTUAL_MACHINE, SubjectKind.SNAPSHOT, SubjectKind.DATASTORE
FILE, ENDPOINT = SubjectKind.FILE, SubjectKind.ENDPOINT


def measured(subject: SubjectKind, name: str, fleet: Inventory, *argument: str) -> Any:
    """What a fact says about the last subject of its kind; an unknown one by its lower bound."""
    scenes = dict(stage(fleet, NOW, classifier()).by_kind())[subject]
    value = facts_of(subject)[name].measure(scenes[-1], *argument)
    return ("unknown", value.at_least) if isinstance(value, Unknown) else value


def one(*shots: Snapshot, **machine: Any) -> Inventory:
    return inventory(vm("web01", *shots, **machine))


def chain(*sizes: int | None) -> VirtualMachine:
    deltas = (
        layer(f"/vm/{n}", size_bytes=size, role=LayerRole.DELTA) for n, size in enumerate(sizes)
    )
    return vm("web01", disks=(disk(layer(), *deltas),))


def on_host(**changes: Any) -> Inventory:
    host: dict[str, Any] = {"id": "host-1", "name": "esx1", "version": "8.0.3", **changes}
    return inventory(vm("web01"), hosts=(Host(**host),))


TREE = (snapshot("a"), snapshot("b", parent_id="a"), snapshot("c", parent_id="b"))
LOOP = (snapshot("a", parent_id="b"), snapshot("b", parent_id="a"))
TAGLESS = (Gap(subject="tags", reason="no right"),)
PLAIN: list[tuple[SubjectKind, str, Inventory, Any]] = [
    (VM, "tags", one(tags=("prod", "db")), ("prod", "db")),
    (VM, "tags", inventory(vm(tags=("prod",)), gaps=TAGLESS), ("unknown", None)),
    (VM, "tags", inventory(vm(), blind_spots=("tags of machines: none",)), ("unknown", None)),
    (VM, "tags", inventory(vm(), blind_spots=("snapshots of the array",)), ()),
    (VM, "folder", one(folder="Berlin/Web"), "Berlin/Web"),
    (VM, "folder", one(), ""),
    (VM, "traits", one(traits=("encrypted",)), ("encrypted",)),
    (VM, "host", on_host(), "esx1"),
    (VM, "host", one(host_id="gone"), ("unknown", None)),
    (VM, "host_version", on_host(), "8.0.3"),
    (VM, "cluster", on_host(cluster="blue"), "blue"),
    (VM, "cluster", on_host(), ("unknown", None)),
    (VM, "host_in_maintenance", on_host(in_maintenance=True), True),
    (VM, "host_in_maintenance", on_host(), ("unknown", None)),
    (VM, "snapshot_depth", one(*TREE), 3),
    (VM, "snapshot_depth", one(), 0),
    (VM, "oldest_snapshot", one(snapshot(age="2d"), snapshot("b", age="9d")), timedelta(days=9)),
    (VM, "oldest_snapshot", one(), timedelta(0)),
    (VM, "oldest_snapshot", one(snapshot("a", age="9d"), snapshot("b", created_at=None)),
     ("unknown", timedelta(days=9))),
    (VM, "memory_snapshots", one(snapshot("a", has_memory=True), snapshot("b")), 1),
    (VM, "memory_snapshots", one(snapshot("a", has_memory=None)), ("unknown", 0)),
    (VM, "disks", one(), 1),
    (VM, "disks_size", one(), 40 * GIB),
    (VM, "disks_size", one(disks=(disk(), disk(capacity_bytes=None))), ("unknown", 40 * GIB)),
    (VM, "datastores", one(), ("pool-1",)),
    (VM, "datastores", inventory(vm(), datastores=()), ("unknown", None)),
    (VM, "largest_layer_size", inventory(chain(1, 5, 2)), 5),
    (VM, "largest_layer_size", inventory(chain(1, None)), ("unknown", 1)),
    (VM, "largest_layer_size", inventory(chain()), 0),
    (VM, "protections", one(protections=("busy: a task runs", "busy: another")), ("busy",)),
    (VM, "endpoint_hypervisor", one(), "libvirt"),
    (SHOT, "depth", one(*TREE), 3),
    (SHOT, "depth", one(snapshot("a", parent_id="gone")), 1),
    (SHOT, "depth", one(*LOOP), ("unknown", None)),
    (SHOT, "children", one(snapshot("b", parent_id="a"), snapshot("a")), 1),
    (SHOT, "is_current", one(snapshot("a"), current_snapshot_id="a"), True),
    (SHOT, "is_current", one(snapshot("a")), False),
    (SHOT, "power", one(snapshot(power_state=PowerState.OFF)), PowerState.OFF),
    (SHOT, "power", one(snapshot(power_state=PowerState.UNKNOWN)), ("unknown", None)),
    (SHOT, "pinned_size", one(snapshot(pinned_bytes=7)), 7),
    (SHOT, "pinned_size", one(snapshot(pinned_bytes=None)), ("unknown", None)),
    (SHOT, "reclaimable_size", one(snapshot(reclaimable_bytes=gain(7, 7))), 7),
    (SHOT, "reclaimable_size", one(snapshot(reclaimable_bytes=gain(7, 9))), ("unknown", 7)),
    (SHOT, "reclaimable_size", one(snapshot(reclaimable_bytes=gain(0, None))), ("unknown", 0)),
    (SHOT, "protections", one(snapshot(protections=("held: x",)), protections=("busy: y",)),
     ("held", "busy")),
    (SHOT, "vm_tags", one(snapshot(), tags=("prod",)), ("prod",)),
    (SHOT, "vm_power", one(snapshot(), power_state=PowerState.OFF), PowerState.OFF),
    (SHOT, "vm_snapshots", one(*TREE), 3),
    (SHOT, "endpoint_is_lab", inventory(vm("a", snapshot()), lab=True), True),
    (STORE, "hosts", inventory(), 1),
    (STORE, "is_stale", inventory(datastores=(datastore(stale_reason="old"),)), True),
    (STORE, "provisioned_size", inventory(), 600 * GIB),
    (STORE, "unused_files", inventory(strays=(stray(), stray("/x", datastore_id="other"))), 1),
    (STORE, "unused_size", inventory(strays=(stray(size_bytes=3), stray("/x", size_bytes=4))), 7),
    (STORE, "unused_size", inventory(strays=(stray(size_bytes=None),)), ("unknown", 0)),
    (STORE, "endpoint_name", inventory(), "kvm1"),
    (FILE, "name", inventory(strays=(stray("/vm/old.qcow2"),)), "old.qcow2"),
    (FILE, "datastore", inventory(strays=(stray(),)), "pool-1"),
    (FILE, "datastore", inventory(strays=(stray(datastore_id="gone"),)), ("unknown", None)),
    (ENDPOINT, "hypervisor", inventory(), "libvirt"),
    (ENDPOINT, "blind_spots", inventory(blind_spots=("x", "y")), 2),
    (ENDPOINT, "is_verified", inventory(connection_verified=False), False),
    (ENDPOINT, "is_verified", inventory(), ("unknown", None)),
    (ENDPOINT, "view_age", inventory(collected_at=NOW - timedelta(hours=3)), timedelta(hours=3)),
    (ENDPOINT, "view_age", inventory(clock_skew_seconds=600.0), timedelta(0)),
    (ENDPOINT, "hosts", inventory(), 1),
    (ENDPOINT, "host_versions", inventory(), ("9.0.0",)),
    (ENDPOINT, "datastores", inventory(), 1),
    (ENDPOINT, "snapshots", one(*TREE), 3),
    (ENDPOINT, "unused_files", inventory(strays=(stray(),)), 1),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "name", "fleet", "expected"), PLAIN, ids=lambda v: str(v)[:30])
def test_fact_says_what_the_inventory_says(
    subject: SubjectKind, name: str, fleet: Inventory, expected: object
) -> None:
    assert measured(subject, name, fleet) == expected


OWNED = one(snapshot("s"), attributes=(Attribute(name="owner", value="ops"),))
NO_FIELDS = inventory(vm("a"), gaps=(Gap(subject="custom attributes", reason="no right"),))


@pytest.mark.parametrize(
    ("subject", "text", "fleet", "expected"),
    [
        (VM, "{attribute: {name: owner, is: ops}}", OWNED, "yes"),
        (VM, "{attribute: {name: Owner, is: ops}}", OWNED, "no"),
        (VM, "{attribute: {name: ticket, matches: '.'}}", OWNED, "no"),
        (VM, "{attribute: {name: ticket, is: ''}}", OWNED, "yes"),
        (VM, "{attribute: {name: owner, not_in: ['', web]}}", OWNED, "yes"),
        (VM, "{attribute: {name: owner, is: ops}}", NO_FIELDS, "unknown"),
        (VM, "{not: {attribute: {name: owner, is: ops}}}", NO_FIELDS, "unknown"),
        (SHOT, "{vm_attribute: {in: [dev, ops], name: owner}}", OWNED, "yes"),
        (VM, "{tags: {has: prod}}", one(tags=("prod",)), "yes"),
        (VM, "{tags: {lacks: prod}}", one(tags=("prod",)), "no"),
        (VM, "{tags: {has_any: [a, prod]}}", one(tags=("prod",)), "yes"),
        (VM, "{tags: {has_none: [a, b]}}", one(tags=("prod",)), "yes"),
        (VM, "{tags: {any_matches: ^pr}}", one(tags=("x", "prod")), "yes"),
        (VM, "{tags: {none_matches: ^pr}}", one(tags=("x", "prod")), "no"),
        (VM, "{tags: {any_matches: ^pr}}", one(tags=("x" * 70_000, "prod")), "yes"),
        (VM, "{tags: {none_matches: ^pr}}", one(tags=("x" * 70_000,)), "unknown"),
        (VM, "{tags: {lacks: prod}}", inventory(vm(), gaps=TAGLESS), "unknown"),
    ],
)
def test_condition_on_attributes_and_lists_answers_as_it_reads(
    subject: SubjectKind, text: str, fleet: Inventory, expected: str
) -> None:
    test = compile_condition(read_condition(parse_yaml(text, "x"), subject), subject)
    scenes = dict(stage(fleet, NOW, classifier()).by_kind())[subject]
    (reply,) = test.ask(Columns(scenes))
    assert answer_of(reply) == expected
    if reply is True:
        assert {one.fact.partition("(")[0] for one in test.evidence(Columns(scenes), 0)}


def test_evidence_names_the_attribute_that_was_asked_for() -> None:
    condition = read_condition(parse_yaml("{attribute: {name: owner, is: ops}}", "x"), VM)
    columns = Columns(stage(OWNED, NOW, classifier()).machines)
    (evidence,) = compile_condition(condition, VM).evidence(columns, 0)
    assert (evidence.fact, evidence.value, evidence.bound) == ("attribute(owner)", "ops", "ops")


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("{attribute: {is: ops}}", "1:13", "expected 'name' beside the operator"),
        ("{attribute: {name: owner}}", "1:13", "expected one operator (is, is_not"),
        ("{attribute: ops}", "1:13", "expected a mapping"),
        ("{tags: {is: prod}}", "1:9", "does not fit tags, which is a list of texts"),
        ("{tags: {has_any: prod}}", "1:18", "expected a list"),
    ],
)
def test_wrong_condition_on_attributes_and_lists_is_told(
    text: str, place: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_condition(parse_yaml(text, "x"), VM)
    assert str(caught.value.place) == f"x:{place}"
    assert message in caught.value.message


def test_snapshot_answers_everything_about_its_machine_and_its_endpoint() -> None:
    lent = {fact.name for fact in all_facts() if fact.subject is SHOT and fact.of is not None}
    machine = {f"vm_{fact.name}" for fact in all_facts() if fact.subject is VM and fact.of is None}
    endpoint = {f"endpoint_{fact.name}" for fact in all_facts() if fact.subject is ENDPOINT}
    assert lent == machine | endpoint


def test_no_lent_fact_takes_the_name_of_an_own_one() -> None:
    names = [(fact.subject, fact.name) for fact in all_facts()]
    assert len(names) == len(set(names))
    own: list[Fact] = [fact for fact in all_facts() if fact.of is None]
    assert not [fact.name for fact in own if fact.name.startswith(("vm_", "endpoint_"))]


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> str:
    """A fact that a test adds, gone again after it."""
    from snapaudit.rules.facts import registry

    kept = {kind: dict(facts) for kind, facts in registry._FACTS.items()}
    monkeypatch.setattr(registry, "_FACTS", kept)

    @register
    def letters(scene: MachineScene) -> int:
        """How many letters its name has."""
        return len(scene.vm.name)

    return letters.__name__


def test_adding_a_fact_is_adding_a_function(added: str) -> None:
    condition = read_condition(parse_yaml(f"{{{added}: {{over: 4}}}}", "x"), VM)
    lent = read_condition(parse_yaml(f"{{vm_{added}: {{over: 5}}}}", "x"), SHOT)
    scenes = stage(one(snapshot("s")), NOW, classifier())
    assert compile_condition(condition, VM).ask(Columns(scenes.machines)) == [True]
    assert compile_condition(lent, SHOT).ask(Columns(scenes.snapshots)) == [False]
