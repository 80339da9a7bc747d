"""Selection: one service that watches one rule, or one datastore."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snapaudit.app.checking import Wanted, check
from snapaudit.check.selection import Selection, select
from snapaudit.errors import UsageError
from snapaudit.model.check import Status
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.policy import Policy
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.builders import GIB, NOW, datastore, disk, inventory, layer, snapshot, stray, vm
from tests.report.check.audits import lost


def policy() -> Policy:
    return load_policy((), disable={}, levels={}, environments=())


def on_store(name: str, *stores: str | None) -> VirtualMachine:
    """A machine with a stale snapshot and a disk on each of the stores."""
    disks = tuple(
        disk(layer(f"/{store}/{name}", datastore_id=store), label=f"d{n}")
        for n, store in enumerate(stores)
    )
    return vm(name, snapshot("old", age="9d"), disks=disks)


def fleet(**changes: object) -> Inventory:
    stores = (datastore("ssd"), datastore("hdd", free_bytes=10 * GIB), datastore("iso"))
    machines = (on_store("a", "ssd"), on_store("b", "hdd"), on_store("c", "ssd", "hdd"),
                on_store("d", None))  # fmt: skip
    strays = (stray("/hdd/x", datastore_id="hdd"), stray("/ssd/y", datastore_id="ssd"))
    return inventory(*machines, datastores=stores, strays=strays, **changes)


def judged(*inventories: Inventory) -> Audit:
    return audit(inventories, policy(), NOW)


def names(found: Audit) -> set[str]:
    return {one.subject.vm_name or one.subject.name for one in found.findings}


def test_a_datastore_is_watched_with_all_that_lies_or_may_lie_on_it() -> None:
    chosen = select(judged(fleet()), policy(), Selection(datastores=("hdd",)))
    assert names(chosen.audit) == {"hdd", "b", "c", "d", "x"}  # nobody knows where d lies
    assert chosen.audit.summary.snapshots == 3
    assert chosen.audit.summary.datastores == 1
    assert chosen.unseen == ()


def test_a_machine_whose_disks_nobody_knows_may_lie_on_every_datastore() -> None:
    unread = replace(disk(), layers=())
    known = on_store("known", "ssd")
    machines = (
        replace(known, id="x", name="x", disks=()),  # as an export of RVTools has it
        replace(known, id="y", name="y", disks=(*known.disks, unread)),
        known,
    )
    seen = inventory(*machines, datastores=(datastore("ssd"), datastore("hdd")))
    chosen = select(judged(seen), policy(), Selection(datastores=("hdd",)))
    assert {"x", "y"} <= names(chosen.audit)
    assert "known" not in names(chosen.audit)


@pytest.mark.parametrize("name", ["iso", "kvm1/iso", "*/iso", "i[s]o"])
def test_an_empty_datastore_in_order_is_ok_but_for_what_nobody_knows_the_place_of(
    name: str,
) -> None:
    chosen = select(judged(fleet()), policy(), Selection(datastores=(name,)))
    assert names(chosen.audit) == {"d"}


def test_a_datastore_of_another_endpoint_is_not_meant() -> None:
    other = inventory(on_store("z", "hdd"), endpoint="kvm2", datastores=(datastore("hdd"),))
    both = judged(fleet(), other)
    chosen = select(both, policy(), Selection(datastores=("kvm2/hdd",)))
    assert names(chosen.audit) == {"z"}


def test_a_name_with_a_bracket_is_found_as_it_is() -> None:
    seen = inventory(vm(), datastores=(datastore("ssd [old]"),))
    chosen = select(judged(seen), policy(), Selection(datastores=("ssd [old]",)))
    assert chosen.audit.summary.datastores == 1


def test_an_unknown_datastore_is_an_error_with_the_nearest_name_where_all_was_seen() -> None:
    with pytest.raises(UsageError, match="no datastore 'hddd'; did you mean 'hdd'"):
        select(judged(fleet()), policy(), Selection(datastores=("hddd",)))


def test_a_datastore_that_may_be_on_an_endpoint_nobody_saw_is_unknown() -> None:
    seen = judged(fleet(), lost("kvm2"))
    wanted = Wanted(selection=Selection(datastores=("san",)))
    result = check(seen, policy(), wanted).check
    assert result.status is Status.UNKNOWN
    assert result.unseen == ("datastore san: not among what was seen, and the view is incomplete",)


@pytest.mark.parametrize(
    "blind", [{"accessible": False}, {"capacity_bytes": None}, {"free_bytes": None}]
)
def test_a_datastore_that_does_not_tell_is_unknown_and_not_ok(blind: dict[str, None]) -> None:
    seen = judged(inventory(vm(), datastores=(datastore("san", **blind),)))
    result = check(seen, policy(), Wanted(selection=Selection(datastores=("san",)))).check
    assert result.status is Status.UNKNOWN
    assert result.unseen


def test_rules_are_chosen_by_name_and_pattern() -> None:
    chosen = select(judged(fleet()), policy(), Selection(rules=("datastore-*",)))
    assert {one.rule for one in chosen.audit.findings} == {"datastore-near-full"}
    assert {rule.id for rule in chosen.rules} >= {"datastore-near-full", "datastore-overcommitted"}
    assert "stale-snapshot" not in {rule.id for rule in chosen.rules}


def test_an_unknown_rule_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="no rule 'stale-snapshots'; did you mean 'stale-snaps"):
        select(judged(fleet()), policy(), Selection(rules=("stale-snapshots",)))


def test_a_disabled_rule_is_told_to_be_one() -> None:
    some = Policy(rules=policy().rules[:1], disabled=("stale-snapshot",))
    with pytest.raises(UsageError, match="stale-snapshot: the rule is disabled"):
        select(judged(fleet()), some, Selection(rules=("stale-snapshot",)))


def test_choosing_hides_nothing_that_was_not_seen() -> None:
    wanted = Wanted(selection=Selection(rules=("long-chain",), datastores=("iso",)))
    assert check(judged(fleet(), lost("kvm2")), policy(), wanted).check.status is Status.UNKNOWN
