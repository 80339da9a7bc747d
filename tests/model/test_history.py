from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from snapaudit.model.finding import Subject
from snapaudit.model.history import Change, Diff, Unseen
from snapaudit.model.policy import SubjectKind
from tests.builders import NOW

ENDPOINTS = ("kvm1", "kvm2")


def change(endpoint: str) -> Change:
    subject = Subject(kind=SubjectKind.DATASTORE, endpoint=endpoint, id="1", name="pool")
    return Change(subject=subject, rules=(), size_bytes=None, previous_size_bytes=None)


def test_difference_about_an_endpoint_holds_nothing_of_another_in_any_list() -> None:
    of_each = {
        "tuple[Change, ...]": tuple(map(change, ENDPOINTS)),
        "tuple[Unseen, ...]": tuple(Unseen(endpoint=name, reason="") for name in ENDPOINTS),
    }
    lists: dict[str, Any] = {
        one.name: of_each[str(one.type)] for one in fields(Diff) if str(one.type) in of_each
    }
    empty = Diff(since=NOW, until=NOW, new=(), resolved=(), grown=(), back=())
    chosen = replace(empty, **lists).about("kvm1".__eq__)
    assert {name: getattr(chosen, name) for name in lists} == {
        name: found[:1] for name, found in lists.items()
    }
    assert len(lists) == 6
