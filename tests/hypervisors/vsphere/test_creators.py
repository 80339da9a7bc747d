"""Who made a snapshot, from the tasks that a server remembers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from snapaudit.errors import AccessDenied
from snapaudit.hypervisors.vsphere.creators import (
    KEPT,
    WINDOW,
    Creators,
    asked_since,
    creators,
    read_creators,
)
from snapaudit.hypervisors.vsphere.raw import RawSnapshot, RawTask, RawTree
from tests.builders import NOW
from tests.hypervisors.vsphere.silent import SilentService

VM = "vm-1"
MADE = NOW - timedelta(days=2)


def shot(moid: str = "snapshot-1", at: datetime | None = MADE) -> RawSnapshot:
    return RawSnapshot(moid, 1, "before", "", at, "poweredOn", False, None)


def trees(*snapshots: RawSnapshot) -> dict[str, RawTree]:
    return {VM: RawTree(None, snapshots)}


def task(
    user: str | None = "CORP\\ada",
    *,
    result: str | None = None,
    at: datetime | None = MADE,
    entity: str | None = VM,
    state: str = "success",
) -> RawTask:
    description = "VirtualMachine.createSnapshot"
    return RawTask("task-1", description, entity, state, 100, at, user, result, None, None)


def test_result_of_a_task_names_its_snapshot_whenever_it_was_queued() -> None:
    late = task(result="snapshot-1", at=MADE - timedelta(hours=3))
    assert creators(trees(shot()), [late]) == {"snapshot-1": "CORP\\ada"}


def test_result_outranks_another_task_of_the_same_minute() -> None:
    made = [task("CORP\\bob"), task(result="snapshot-1")]
    assert creators(trees(shot()), made) == {"snapshot-1": "CORP\\ada"}


@pytest.mark.parametrize("seconds", [-60, 0, 60])
def test_without_a_result_the_same_machine_and_minute_do(seconds: int) -> None:
    near = task(at=MADE + timedelta(seconds=seconds))
    assert creators(trees(shot()), [near]) == {"snapshot-1": "CORP\\ada"}


@pytest.mark.parametrize(
    "other",
    [
        task(at=MADE + WINDOW + timedelta(seconds=1)),
        task(at=MADE - WINDOW - timedelta(seconds=1)),
        task(at=None),
        task(entity="vm-2"),
        task(entity=None),
        task(state="error"),
        task(None),
        task(result="snapshot-9"),
    ],
)
def test_task_of_another_time_machine_or_end_names_nobody(other: RawTask) -> None:
    assert creators(trees(shot()), [other]) == {}


def test_two_tasks_in_the_same_minute_name_nobody() -> None:
    assert creators(trees(shot()), [task(), task("CORP\\bob")]) == {}
    assert creators(trees(shot()), [task(), task(None)]) == {}


def test_two_snapshots_in_the_same_minute_share_no_task() -> None:
    pair = trees(shot(), shot("snapshot-2", MADE + timedelta(seconds=20)))
    assert creators(pair, [task()]) == {}


def test_snapshot_whose_task_is_known_takes_none_from_its_neighbour() -> None:
    pair = trees(shot(), shot("snapshot-2", MADE + timedelta(seconds=20)))
    made = [task("CORP\\bob", result="snapshot-2"), task()]
    assert creators(pair, made) == {"snapshot-1": "CORP\\ada", "snapshot-2": "CORP\\bob"}


def test_result_that_two_users_claim_is_unknown() -> None:
    both = [task(result="snapshot-1"), task("CORP\\bob", result="snapshot-1")]
    assert creators(trees(shot()), both) == {}


def test_result_without_a_user_is_not_given_to_a_neighbour() -> None:
    made = [task(None, result="snapshot-1"), task("CORP\\bob")]
    assert creators(trees(shot()), made) == {}


def test_snapshot_that_no_task_remembers_is_unknown_and_not_nobody() -> None:
    assert creators(trees(shot(), shot("snapshot-2", None)), []) == {}


def test_snapshots_that_are_gone_are_not_named() -> None:
    assert creators(trees(), [task(result="snapshot-1")]) == {}


def test_tasks_are_asked_for_no_further_back_than_a_server_keeps_them() -> None:
    old, young = shot(at=NOW - KEPT - timedelta(days=1)), shot("snapshot-2")
    assert asked_since(trees(old, young).values(), NOW) == MADE - WINDOW
    assert asked_since(trees(old).values(), NOW) is None
    assert asked_since(trees(shot(at=None)).values(), NOW) is None


class Asked(SilentService):
    """Remembers from when on it was asked for tasks, and answers with these or not at all."""

    def __init__(self, *tasks: RawTask, error: str | None = None) -> None:
        self.since: list[datetime] = []
        self._tasks, self._error = tasks, error

    def creations(self, since: datetime) -> Iterator[RawTask]:
        self.since.append(since)
        yield from self._tasks
        if self._error is not None:
            raise AccessDenied(self._error)


def test_tasks_are_read_from_the_oldest_snapshot_on() -> None:
    service = Asked(task(result="snapshot-1"))
    seen = read_creators(service, trees(shot()), NOW)
    assert seen == Creators(names={"snapshot-1": "CORP\\ada"})
    assert service.since == [MADE - WINDOW]


def test_no_snapshot_asks_for_no_task() -> None:
    service = Asked()
    assert read_creators(service, trees(), NOW) == Creators()
    assert service.since == []


def test_tasks_that_may_not_be_read_are_a_gap() -> None:
    service = Asked(task(result="snapshot-1"), error="no right to see tasks")
    assert read_creators(service, trees(shot()), NOW) == Creators(gap="no right to see tasks")
