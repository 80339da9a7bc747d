"""A service that answers nothing: a test overrides what its subject may ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from snapaudit.hypervisors.vsphere.raw import About, FoundFile, RawObject, RawTask


class SilentService:
    """Satisfies `Service`; every question that is not overridden fails the test."""

    @property
    def about(self) -> About:
        raise AssertionError("about was asked for")

    @property
    def is_verified(self) -> bool:
        raise AssertionError("is_verified was asked for")

    def clock(self) -> datetime:
        raise AssertionError("the clock was asked for")

    def custom_fields(self) -> Mapping[int, str]:
        raise AssertionError("custom fields were asked for")

    def read(self, wanted: Mapping[str, Sequence[str]]) -> Iterator[RawObject]:
        raise AssertionError("objects were asked for")

    def read_of(self, kind: str, moids: Iterable[str], paths: Sequence[str]) -> Iterator[RawObject]:
        raise AssertionError("single objects were asked for")

    def creations(self, since: datetime) -> Iterator[RawTask]:
        raise AssertionError("tasks were asked for")

    def privileges(
        self, moids: Sequence[str], kinds: Mapping[str, str], names: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        raise AssertionError("rights were asked for")

    def search(self, datastore: str) -> Iterator[FoundFile]:
        raise AssertionError("a search was asked for")

    def close(self) -> None:
        return
