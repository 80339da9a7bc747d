"""Tags over REST, against a server of our own over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snapaudit.hypervisors.vsphere.address import Address
from snapaudit.hypervisors.vsphere.tags import AT_ONCE, Tags, read_tags
from snapaudit.model.endpoint import Tls
from snapaudit.trust import trust
from tests.canaries import REFUSED
from tests.hypervisors.vsphere.restserver import PASSWORD, USER, Tagging, certified, serving

pytestmark = pytest.mark.bed
MACHINES = ("vm-1", "vm-2", "vm-3")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certified(tmp_path_factory.mktemp("site"))


@pytest.fixture(params=["rest", "api"])
def service(request: pytest.FixtureRequest, site: Path) -> Iterator[Tagging]:
    """A service of the older and one of the newer form."""
    with serving(Tagging(form=request.param), site) as started:
        yield started


@pytest.fixture
def older(site: Path) -> Iterator[Tagging]:
    with serving(Tagging(), site) as started:
        yield started


def ask(
    service: Tagging,
    folder: Path,
    *machines: str,
    password: str = PASSWORD,
    tls: Tls | None = None,
    seconds: float = 20.0,
) -> Tags:
    secure = trust(tls or Tls(ca_file=str(folder / "cacert.pem")))
    line = Address("localhost", service.port).connection(secure, seconds)
    return read_tags(line, USER, password, machines or MACHINES, seconds)


def test_tags_are_told_by_name_and_with_their_category(service: Tagging, site: Path) -> None:
    service.tag("Environment", "prod", "vm-1", "vm-2")
    service.tag("Owner", "Jürgen", "vm-1")
    assert ask(service, site) == Tags(
        names={
            "vm-1": ("Environment:prod", "Jürgen", "Owner:Jürgen", "prod"),
            "vm-2": ("Environment:prod", "prod"),
        }
    )


def test_name_of_two_categories_is_told_apart(service: Tagging, site: Path) -> None:
    service.tag("Environment", "prod", "vm-1")
    service.tag("Backup", "prod", "vm-2")
    names = ask(service, site).names
    assert names["vm-1"] == ("Environment:prod", "prod")
    assert names["vm-2"] == ("Backup:prod", "prod")


def test_session_is_ended_whatever_happens(service: Tagging, site: Path) -> None:
    service.tag("Environment", "prod", "vm-1")
    ask(service, site)
    assert (service.sessions, service.ended) == (set(), 1)
    service.statuses[f"{service.tagging_path}/category"] = 500
    assert ask(service, site).gap is not None
    assert (service.sessions, service.ended) == (set(), 2)


def test_many_machines_are_asked_for_in_few_questions(service: Tagging, site: Path) -> None:
    machines = [f"vm-{number}" for number in range(2 * AT_ONCE + 1)]
    service.tag("Environment", "prod", *machines)
    assert len(ask(service, site, *machines).names) == len(machines)
    asked = [line for line in service.asked if "tag-association" in line]
    assert (len(asked), service.largest) == (3, AT_ONCE)
    others = [line for line in service.asked if "session" not in line and line not in asked]
    assert len(others) == 2  # the tag and its category


def test_null_and_left_out_are_no_tags(service: Tagging, site: Path) -> None:
    service.attached["vm-1"] = None
    assert ask(service, site) == Tags()


def test_server_without_the_interface_is_a_blind_spot(older: Tagging, site: Path) -> None:
    older.statuses = {"/": 404}
    seen = ask(older, site)
    assert (seen.names, seen.gap) == ({}, None)
    assert seen.blind_spot is not None
    assert "neither /rest nor /api" in seen.blind_spot


@pytest.mark.parametrize(
    ("status", "said"), [(401, "refused"), (403, "refused"), (503, "does not run"), (302, "302")]
)
def test_login_that_fails_is_a_gap(older: Tagging, site: Path, status: int, said: str) -> None:
    older.statuses = {older.session_path: status}
    seen = ask(older, site)
    assert (seen.names, seen.blind_spot) == ({}, None)
    assert seen.gap is not None
    assert said in seen.gap


def test_wrong_password_is_a_gap_and_is_not_repeated(older: Tagging, site: Path) -> None:
    gap = ask(older, site, password=REFUSED).gap
    assert gap is not None
    assert "refused" in gap
    assert REFUSED not in gap
    assert len(older.asked) == 1


def test_tag_that_may_not_be_read_is_a_gap_and_the_others_are_told(
    older: Tagging, site: Path
) -> None:
    older.tag("Environment", "prod", "vm-1")
    hidden = older.tag("Owner", "hidden", "vm-1", "vm-2")
    older.statuses = {f"{older.tagging_path}/tag/id:{hidden}": 403}
    seen = ask(older, site)
    assert seen.names == {"vm-1": ("Environment:prod", "prod")}
    assert seen.gap is not None
    assert seen.gap.startswith("1 of the tags: ")


def test_tag_removed_meanwhile_is_no_tag(older: Tagging, site: Path) -> None:
    gone = older.tag("Environment", "old", "vm-1")
    del older.tags[gone]
    assert ask(older, site) == Tags()


def test_silence_ends_when_its_time_is_over(older: Tagging, site: Path) -> None:
    older.silent = older.tagging_path
    gap = ask(older, site, seconds=1.0).gap
    assert gap is not None
    assert "no answer in time" in gap


def test_answer_that_never_ends_is_given_up(older: Tagging, site: Path) -> None:
    older.dripping = older.tagging_path
    gap = ask(older, site, seconds=1.0).gap
    assert gap is not None
    assert "no" in gap
    assert "time" in gap


@pytest.mark.parametrize(
    "body",
    [
        b"<html>login</html>",
        b'{"value": 7}',
        b'{"value": [7]}',
        b'{"value": [{"object_id": {"type": "VirtualMachine", "id": "vm-1"}, "tag_ids": [7]}]}',
        b"[]",
    ],
)
def test_answer_of_another_shape_is_a_gap(older: Tagging, site: Path, body: bytes) -> None:
    older.bodies = {f"{older.tagging_path}/tag-association": body}
    seen = ask(older, site)
    assert seen.names == {}
    assert seen.gap is not None


def test_nothing_is_told_to_a_server_with_another_certificate(older: Tagging, site: Path) -> None:
    other = Tls(fingerprint="sha256:" + "0" * 64)
    seen = ask(older, site, tls=other)
    assert seen.gap is not None
    assert "not the pinned one" in seen.gap
    assert older.asked == []
