"""The XAPI of our own keeps the rules of the data model that the other tests rest on."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.beds.xapi import wire
from tests.beds.xapi.deeds import Fault
from tests.beds.xapi.images import Images
from tests.beds.xapi.office import Office, User
from tests.beds.xapi.query import BadQuery, parse
from tests.beds.xapi.table import is_allowed, roles, table
from tests.beds.xapi.world import World


def office(role: str | None = None) -> tuple[Office, str]:
    """An office and a session of that role."""
    made = Office(World(), users={"me": User("pw", role)})
    return made, made.call("session.login_with_password", ["me", "pw", "1.0", "test"])


def code(work: Any) -> str:
    with pytest.raises(Fault) as caught:
        work()
    return str(caught.value.details[0])


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("true", True), ('field "a"="1"', True), ('field "a"="2"', False),
        ('field "a"="1" and field "b"="true"', True), ('not field "a"="1"', False),
        ('field "a"="2" or (field "b"="true" and not false)', True),
    ],
)  # fmt: skip
def test_queries(text: str, holds: bool) -> None:
    assert parse(text)({"a": "1", "b": True}) is holds


@pytest.mark.parametrize("text", ["", "field", 'field "a"', 'field "a"="1" and', "(true", "x"])
def test_what_is_no_query(text: str) -> None:
    with pytest.raises(BadQuery):
        parse(text)


def test_each_role_may_do_what_those_before_it_may() -> None:
    for method in table()["methods"]:
        if "." in method:
            allowed = [is_allowed(role, method) for role in roles()]
            assert allowed == sorted(allowed), method
    assert not is_allowed("vm-operator", "VM.destroy")
    assert is_allowed("vm-admin", "Async.VM.destroy")
    assert not is_allowed("vm-admin", "SR.scan")


def test_a_session_is_needed_and_its_role_counts() -> None:
    made, session = office("read-only")
    vm = made.world.db.ref("VM", made.world.vm("web", running=False))
    assert code(lambda: made.call("VM.get_all_records", ["nobody"])) == "SESSION_INVALID"
    assert code(lambda: made.call("Async.VM.destroy", [session, vm])) == "RBAC_PERMISSION_DENIED"
    assert code(lambda: made.call("VM.explode", [session, vm])) == "MESSAGE_METHOD_UNKNOWN"
    assert "vm.destroy" not in made.call("session.get_rbac_permissions", [session, session])


def test_a_live_machine_is_destroyed_as_willingly_as_a_snapshot() -> None:
    """Or else no test of ours would prove anything."""
    made, session = office()
    vm = made.world.vm("web", running=False)
    made.call("Async.VM.destroy", [session, made.world.db.ref("VM", vm)])
    made.tick()
    assert not made.world.db.has("VM", vm)


def test_a_running_or_blocked_machine_is_not() -> None:
    made, _ = office()
    running = made.world.db.ref("VM", made.world.vm("web"))
    assert code(lambda: made.deeds.destroy_vm(running)) == "VM_BAD_POWER_STATE"
    blocked = made.world.vm("b", running=False, blocked_operations={"destroy": "x"})
    ref = made.world.db.ref("VM", blocked)
    assert code(lambda: made.deeds.destroy_vm(ref)) == "OPERATION_BLOCKED"


def test_the_disks_of_a_checkpoint_are_in_use_until_it_is_shut_down() -> None:
    made, _ = office()
    one = made.world.checkpoint(made.world.vm("web"), "s")
    disk = made.world.db.ref("VDI", made.world.disks(one)[0])
    made.deeds.destroy_vm(made.world.db.ref("VM", one))
    assert code(lambda: made.deeds.destroy_vdi(disk)) == "VDI_IN_USE"


def test_a_restart_gives_references_out_anew() -> None:
    made, session = office()
    vm = made.world.vm("web")
    one = made.world.snapshot(vm, "s")
    old = made.world.db.ref("VM", one)
    made.restart()
    assert made.world.db.get("VM", old)["uuid"] != one
    assert made.world.vm_record(one)["snapshot_of"] == made.world.db.ref("VM", vm)
    assert code(lambda: made.call("VM.get_record", [session, old])) == "SESSION_INVALID"


def test_tasks_take_their_time() -> None:
    made, session = office()
    now = [0.0]
    made.clock, made.task_seconds = (lambda: now[0]), 10.0
    vm = made.world.db.ref("VM", made.world.vm("web", running=False))
    task = made.call("Async.VM.destroy", [session, vm])
    assert made.call("task.get_record", [session, task])["status"] == "pending"
    assert made.world.db.get("VM", vm)["current_operations"] == {task: "destroy"}
    now[0] = 11.0
    assert made.call("task.get_record", [session, task])["status"] == "success"


def test_numbers_are_texts_in_xml_and_numbers_in_json() -> None:
    value = {"a": 1, "b": True, "c": [], "d": "x"}
    assert b"<name>a</name>\n<value><string>1</string></value>" in wire.xml(value)
    assert json.loads(wire.as_json(value, {"jsonrpc": "2.0"}))["result"] == value
    old = json.loads(wire.json_fault(["CODE", "x"], {"id": 3}))
    assert old == {"result": None, "error": ["CODE", "x"], "id": 3}


def test_collecting_changes_nothing_that_a_guest_reads() -> None:
    dice = random.Random(1)  # noqa: S311 - images, no secrets
    images = Images()
    images.create("live", range(5))
    for number in range(12):
        images.write("live", dice.sample(range(40), 5))
        images.snapshot("live", base=f"base{number}", new=f"shot{number}")
    for number in dice.sample(range(12), 8):
        images.remove(f"shot{number}")
    leaves = [image.uuid for image in images.by_uuid.values() if not image.is_hidden]
    before = {leaf: images.read(leaf) for leaf in leaves}
    while images.step():
        assert {leaf: images.read(leaf) for leaf in leaves} == before
    assert len(images.by_uuid) == 2 * len(leaves) - 1
