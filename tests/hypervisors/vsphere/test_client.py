"""The reading session against the simulator: the same records as pyVmomi's, and nothing beyond."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from snapaudit.errors import AccessDenied, Gone
from snapaudit.hypervisors.vsphere import paths, reference
from snapaudit.hypervisors.vsphere.client import Client
from snapaudit.hypervisors.vsphere.raw import RawObject, RawTree
from snapaudit.model.endpoint import Account, Endpoint, Tls
from tests.beds.simulator import Simulator
from tests.beds.vmodels import GIB, Disk, Fleet
from tests.canaries import REFUSED

pytestmark = pytest.mark.bed

EVERYTHING = {paths.VIRTUAL_MACHINE: paths.LIGHT + paths.HEAVY, **paths.AROUND}


def client_of(simulator: Simulator, password: str | None = None) -> Client:
    endpoint = Endpoint(
        name="vc1", kind="vsphere", url=simulator.url, tls=Tls(ca_file=str(simulator.ca_file))
    )
    return Client(endpoint, Account(username=simulator.username), password or simulator.password)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(vms=6, snapshots=2, datastores=2) as started:
        yield started


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    with closing(client_of(simulator)) as made:
        yield made
    simulator.tell("clear")


def by_moid(found: Iterator[RawObject]) -> dict[str, RawObject]:
    return {one.moid: one for one in found}


def moid(simulator: Simulator, name: str) -> str:
    return str(simulator.tell("id", object=name)["moid"])


# The same as the reference ----------------------------------------------------------------------


def same(client: Client) -> int:
    ours = by_moid(client.read(EVERYTHING))
    theirs = by_moid(reference.everything(client._session, EVERYTHING))
    assert ours == theirs
    return len(ours)


@pytest.mark.parametrize("page", [0, 1, 4])
def test_records_equal_those_of_the_client_library_on_pages_of_any_size(
    simulator: Simulator, client: Client, page: int
) -> None:
    simulator.tell("page", limit=page)
    assert same(client) > 6


def test_records_equal_those_of_the_client_library_on_a_written_estate(tmp_path: Path) -> None:
    fleet = Fleet()
    fleet.host("h1", cluster="c1")
    fleet.datastore("fast", capacity=900 * GIB, free=500 * GIB)
    fleet.datastore("slow", kind="NFS")
    fleet.machine("plain", host="h1", datastore="fast")
    fleet.machine("several", Disk(), Disk(datastore="slow"), Disk(mode="independent_persistent"))
    fleet.machine("raw", Disk(rdm="physicalMode"), Disk(rdm="virtualMode"))
    fleet.machine("golden", template=True, folder="prod/web")
    fleet.machine("weird % 2f <&> ü", datastore="slow")
    for name in ("plain", "several", "weird % 2f <&> ü"):
        fleet.order("snapshot", vm=name, name="before &amp; after", age=9 * 86400)
        fleet.order("write", vm=name, bytes=7 * GIB)
        fleet.order(
            "snapshot", vm=name, name="ünï%2f", description="a\nb", memory=4 * GIB, quiesced=True
        )
    fleet.order("clone", of="several", snapshot="ünï%2f", name="copy")
    with Simulator() as simulator:
        simulator.tell("play", path=fleet.write(tmp_path / "fleet"))
        with closing(client_of(simulator)) as client:
            assert same(client) > 6


def test_records_equal_those_of_the_client_library_on_a_single_host() -> None:
    with (
        Simulator(vms=3, snapshots=1, esx=True) as simulator,
        closing(client_of(simulator)) as client,
    ):
        assert not client.about.is_vcenter
        assert same(client) > 3


def test_records_equal_those_of_the_client_library_where_some_are_withheld(
    simulator: Simulator, client: Client
) -> None:
    simulator.tell("hide", object="vm-0")
    simulator.tell("deny", object="vm-1", path="snapshot")
    simulator.tell("deny", object="vm-2", path="*")
    same(client)
    found = by_moid(client.read(EVERYTHING))
    assert moid(simulator, "vm-0") not in found
    assert found[moid(simulator, "vm-1")].missing == {"snapshot": "NoPermission: System.Read"}
    assert found[moid(simulator, "vm-2")].values == {}
    assert "snapshot" in found[moid(simulator, "vm-2")].missing


# The rest of the seam ---------------------------------------------------------------------------


def test_who_answered_and_its_clock_are_told(client: Client) -> None:
    assert client.about.is_vcenter
    assert client.about.uuid
    assert client.is_verified
    now = client.clock()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_s1_a_wrong_password_is_refused_named_and_not_repeated(simulator: Simulator) -> None:
    with pytest.raises(AccessDenied, match="username and password") as refused:
        client_of(simulator, REFUSED)
    assert REFUSED not in str(refused.value)


def test_a_path_of_a_later_release_is_missing_and_the_rest_is_read(
    simulator: Simulator, client: Client
) -> None:
    simulator.tell("unknown", path="runtime.instantCloneFrozen")
    found = list(client.read({paths.VIRTUAL_MACHINE: paths.LIGHT}))
    assert len(found) == 6
    assert {one.missing.get("runtime.instantCloneFrozen") for one in found} == {"InvalidProperty"}
    assert all(isinstance(one.values["snapshot"], RawTree) for one in found)


def test_p10_a_session_that_expires_between_pages_is_begun_anew(
    simulator: Simulator, client: Client
) -> None:
    simulator.tell("page", limit=2)
    reading = client.read({paths.VIRTUAL_MACHINE: ("name",)})
    found = [next(reading)]
    simulator.tell("expire")
    found += reading
    assert len({one.moid for one in found}) == len(found) == 6


def test_p10_a_session_that_expires_between_calls_is_begun_anew(
    simulator: Simulator, client: Client
) -> None:
    for _ in range(2):
        simulator.tell("expire")
        client.clock()
        simulator.tell("expire")
        assert len(list(client.read({paths.VIRTUAL_MACHINE: ("name",)}))) == 6


def test_a_machine_that_is_gone_is_left_out(simulator: Simulator, client: Client) -> None:
    simulator.tell("machine", name="short-lived")
    moids = [moid(simulator, name) for name in ("vm-0", "short-lived", "vm-1")]
    simulator.tell("destroy", vm="short-lived")
    found = list(client.read_of(paths.VIRTUAL_MACHINE, moids, ("name",)))
    assert [one.values["name"] for one in found] == ["vm-0", "vm-1"]


def test_custom_attributes_are_told_by_key_and_by_name(
    simulator: Simulator, client: Client
) -> None:
    simulator.tell("attribute", vm="vm-3", name="owner", value="team <a>")
    [key] = [key for key, name in client.custom_fields().items() if name == "owner"]
    [found] = client.read_of(paths.VIRTUAL_MACHINE, [moid(simulator, "vm-3")], ("customValue",))
    assert found.values["customValue"] == ((key, "team <a>"),)


def test_who_made_a_snapshot_is_read_from_the_tasks(simulator: Simulator, client: Client) -> None:
    made = "VirtualMachine.createSnapshot"
    simulator.tell("task", vm="vm-4", name="x", description=made, state="success", user="LAB\\ann")
    simulator.tell("task", vm="vm-4", name="y", description="Folder.destroy", state="success")
    found = list(client.creations(datetime.now(UTC) - timedelta(days=1)))
    assert [(one.description_id, one.user, one.entity) for one in found] == [
        (made, "LAB\\ann", moid(simulator, "vm-4"))
    ]


def test_privileges_are_told_by_object(simulator: Simulator, client: Client) -> None:
    remove = "VirtualMachine.State.RemoveSnapshot"
    simulator.tell("lack", privilege=remove, object="vm-1")
    moids = [moid(simulator, "vm-0"), moid(simulator, "vm-1")]
    kinds = dict.fromkeys(moids, paths.VIRTUAL_MACHINE)
    held = client.privileges(moids, kinds, ["System.Read", remove])
    assert held == {moids[0]: {"System.Read", remove}, moids[1]: {"System.Read"}}


def test_a_datastore_is_searched_for_virtual_disks(simulator: Simulator, client: Client) -> None:
    simulator.tell("files")
    [store] = [
        one.moid
        for one in client.read({paths.DATASTORE: ("name",)})
        if one.values["name"] == "datastore1"
    ]
    simulator.tell("file", path="[datastore1] lost/lost-000001.vmdk", size=4096)
    found = list(client.search(store))
    assert "[datastore1] lost/lost-000001.vmdk" in {one.path for one in found}
    with pytest.raises(Gone):
        list(client.search("datastore-999999"))
