"""Reading many objects: views, pages, paths that a release does not know, objects that vanish."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from pyVmomi import VmomiSupport

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.vsphere.exchange import feeding
from snapaudit.hypervisors.vsphere.faults import EXPIRED, NETWORK
from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.hypervisors.vsphere.session import Expired, Session
from snapaudit.hypervisors.vsphere.soap.fault import Malformed, SoapFault
from snapaudit.hypervisors.vsphere.soap.flat import FlatReader
from snapaudit.hypervisors.vsphere.soap.page import PageReader
from snapaudit.hypervisors.vsphere.soap.request import (
    go_on,
    retrieve_objects,
    retrieve_view,
)

PAGE = 500
"""How many objects a page is wished to have. Servers may send fewer, or all at once."""

INVALID, _GONE = "InvalidProperty", "ManagedObjectNotFound"
_PAGES_WITHOUT_NEWS = 10

Reader = FlatReader | PageReader
Wanted = Mapping[str, Sequence[str]]


class Bulk:
    """The property collector of one session."""

    def __init__(
        self,
        session: Session,
        page_size: int = PAGE,
        reader: Callable[[], Reader] = FlatReader,
    ) -> None:
        self._session, self._page_size, self._reader = session, page_size, reader

    # Everything ---------------------------------------------------------------------------------

    def everything(self, wanted: Wanted) -> Iterator[RawObject]:
        """Every visible object of these kinds, each once.

        When the session expires on the way, the reading starts again in a new one, once; objects
        that were handed out already are not handed out again.
        """
        seen: set[str] = set()
        try:
            yield from self._through_view(wanted, seen)
        except Expired:
            self._session.log_in()
            yield from self._last(self._through_view(wanted, seen))

    def _last(self, objects: Iterator[RawObject]) -> Iterator[RawObject]:
        try:
            yield from objects
        except Expired as error:
            fault = SoapFault(EXPIRED, "the session ended again while reading")
            raise self._session.ours(fault) from error

    def _through_view(self, wanted: Wanted, seen: set[str]) -> Iterator[RawObject]:
        view = self._view(list(wanted))
        try:
            reference = ("ContainerView", str(view._moId))

            def ask(known: Wanted) -> bytes:
                collector = self._session.collector
                return retrieve_view(collector, reference, known, self._page_size)

            yield from self._known(ask, wanted, seen)
        except SoapFault as error:
            raise self._expired_or_ours(error, {EXPIRED, _GONE}) from error
        finally:
            with suppress(HypervisorError):
                self._session.asked(view.DestroyView)

    def _view(self, kinds: list[str]) -> Any:
        content = self._session.content
        types = [class_of(kind) for kind in kinds]
        return self._session.reading(
            lambda: content.viewManager.CreateContainerView(content.rootFolder, types, True)
        )

    # Some ---------------------------------------------------------------------------------------

    def one(self, kind: str, moid: str, paths: Sequence[str]) -> RawObject | None:
        """One object; None when it is gone."""
        return next(iter(list(self.some(kind, [moid], paths))), None)

    def some(self, kind: str, moids: Iterable[str], paths: Sequence[str]) -> Iterator[RawObject]:
        """These objects, without those that are gone."""
        left = iter(dict.fromkeys(moids))
        while chunk := list(islice(left, self._page_size)):
            yield from self._chunk(kind, chunk, paths)

    def _chunk(self, kind: str, moids: list[str], paths: Sequence[str]) -> Iterator[RawObject]:
        seen: set[str] = set()
        try:
            yield from self._these(kind, moids, paths, seen)
        except Expired:
            self._session.log_in()
            yield from self._last(self._these(kind, moids, paths, seen))

    def _these(
        self, kind: str, moids: list[str], paths: Sequence[str], seen: set[str]
    ) -> Iterator[RawObject]:
        """Servers that ignore the wish to leave out what is gone refuse the whole: halve it."""

        def ask(known: Wanted) -> bytes:
            return retrieve_objects(self._session.collector, kind, moids, known[kind])

        try:
            yield from self._known(ask, {kind: paths}, seen)
        except SoapFault as error:
            if error.name != _GONE:
                raise self._expired_or_ours(error, {EXPIRED}) from error
            middle = len(moids) // 2
            for half in (moids[:middle], moids[middle:]) if middle else ():
                yield from self._these(kind, half, paths, seen)

    # Pages --------------------------------------------------------------------------------------

    def _known(self, ask: Any, wanted: Wanted, seen: set[str]) -> Iterator[RawObject]:
        """With the paths that this release knows; the others are missing in every object.

        A server answers the whole call with InvalidProperty, which names one path at a time.
        """
        unknown: set[str] = set()
        for _ in range(1 + sum(map(len, wanted.values()))):
            known = {k: [p for p in paths if p not in unknown] for k, paths in wanted.items()}
            try:
                for found in self._pages(ask(known), seen):
                    yield _noted(found, unknown, wanted)
            except SoapFault as error:
                named = _named(error, known)
                if not named:
                    raise
                unknown |= named
            else:
                return

    def _pages(self, body: bytes, seen: set[str]) -> Iterator[RawObject]:
        method, stale = "RetrievePropertiesEx", 0
        while stale < _PAGES_WITHOUT_NEWS:
            reader, before = self._reader(), len(seen)
            for found in self._answer(method, body, reader):
                if found.moid not in seen:
                    seen.add(found.moid)
                    yield found
            if reader.token is None:
                return
            method = "ContinueRetrievePropertiesEx"
            body = go_on(self._session.collector, reader.token)
            stale = 0 if len(seen) > before else stale + 1
        raise self._session.ours(Malformed("the server goes on sending pages without news"))

    def _answer(self, method: str, body: bytes, reader: Reader) -> Iterator[RawObject]:
        try:
            for _ in feeding(self._session.stub, method, body, reader):
                yield from reader.take()
            yield from reader.take()
        except (Malformed, *NETWORK) as error:
            raise self._session.ours(error) from error

    def _expired_or_ours(self, error: SoapFault, expired: set[str]) -> Exception:
        return Expired() if error.name in expired else self._session.ours(error)


def class_of(kind: str) -> Any:
    """The client library's class of a kind of object."""
    return VmomiSupport.GetWsdlType("urn:vim25", kind)


def _named(error: SoapFault, wanted: Wanted) -> set[str]:
    """The paths that an InvalidProperty is about."""
    if error.name != INVALID or not error.about:
        return set()
    asked = {path for paths in wanted.values() for path in paths}
    if error.about in asked:
        return {error.about}
    return {path for path in asked if path.endswith(f".{error.about}")}


def _noted(found: RawObject, unknown: set[str], wanted: Wanted) -> RawObject:
    """The object with the paths in ``missing`` that nobody could ask for."""
    asked = wanted.get(found.kind) or [path for paths in wanted.values() for path in paths]
    lacking = {path: INVALID for path in unknown if path in asked}
    if not lacking:
        return found
    return RawObject(found.kind, found.moid, found.values, {**found.missing, **lacking})
