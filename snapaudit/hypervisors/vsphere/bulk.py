"""Reading many objects, all or some: over expired sessions and objects that vanish."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import islice
from typing import Any

from pyVmomi import VmomiSupport

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.vsphere.faults import EXPIRED
from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.hypervisors.vsphere.session import Expired, Session
from snapaudit.hypervisors.vsphere.soap.fault import SoapFault
from snapaudit.hypervisors.vsphere.soap.flat import FlatReader
from snapaudit.hypervisors.vsphere.soap.request import retrieve_objects, retrieve_view
from snapaudit.hypervisors.vsphere.sweep import Reader, Sweep, Wanted

PAGE = 500
"""How many objects a page is wished to have. Servers may send fewer, or all at once."""

_GONE = "ManagedObjectNotFound"


class Bulk:
    """The property collector of one session."""

    def __init__(
        self,
        session: Session,
        page_size: int = PAGE,
        reader: Callable[[], Reader] = FlatReader,
    ) -> None:
        self._session, self._page_size, self._reader = session, page_size, reader
        self._unknown: set[str] = set()

    def _sweep(self) -> closing[Sweep]:
        return closing(Sweep(self._session, self._reader, self._unknown))

    def _twice(self, read: Callable[[], Iterator[RawObject]]) -> Iterator[RawObject]:
        """Read, and in a new session once more if the old one expires on the way."""
        try:
            yield from read()
        except Expired:
            self._session.log_in()
            try:
                yield from read()
            except Expired as error:
                fault = SoapFault(EXPIRED, "the session ended again while reading")
                raise self._session.ours(fault) from error

    # Everything ---------------------------------------------------------------------------------

    def everything(self, wanted: Wanted) -> Iterator[RawObject]:
        """Every visible object of these kinds, each once, also if the session expires midway."""
        with self._sweep() as sweep:
            yield from self._twice(lambda: self._through_view(sweep, wanted))

    def _through_view(self, sweep: Sweep, wanted: Wanted) -> Iterator[RawObject]:
        view = self._view(list(wanted))
        reference = ("ContainerView", str(view._moId))

        def ask(known: Wanted) -> bytes:
            collector = self._session.collector
            return retrieve_view(collector, reference, known, self._page_size)

        try:
            yield from sweep.pages(ask, wanted)
        except SoapFault as error:
            raise self._expired_or_ours(error, {EXPIRED, _GONE}) from error
        finally:
            sweep.close()
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
        chunks = list(iter(lambda: list(islice(left, self._page_size)), []))
        with self._sweep() as sweep:
            for chunk, then in zip(chunks, [*chunks[1:], []], strict=True):
                yield from self._twice(partial(self._these, sweep, kind, chunk, paths, then))

    def _these(
        self, sweep: Sweep, kind: str, moids: list[str], paths: Sequence[str], then: list[str]
    ) -> Iterator[RawObject]:
        """Servers that ignore the wish to leave out what is gone refuse the whole: halve it."""

        def asking(for_moids: list[str]) -> Callable[[Wanted], bytes]:
            collector = self._session.collector
            return lambda known: retrieve_objects(collector, kind, for_moids, known[kind])

        try:
            yield from sweep.pages(asking(moids), {kind: paths}, asking(then) if then else None)
        except SoapFault as error:
            if error.name != _GONE:
                raise self._expired_or_ours(error, {EXPIRED}) from error
            middle = len(moids) // 2
            for half in (moids[:middle], moids[middle:]) if middle else ():
                yield from self._these(sweep, kind, half, paths, [])

    def _expired_or_ours(self, error: SoapFault, expired: set[str]) -> Exception:
        return Expired() if error.name in expired else self._session.ours(error)


def class_of(kind: str) -> Any:
    """The client library's class of a kind of object."""
    return VmomiSupport.GetWsdlType("urn:vim25", kind)
