"""One reading by the property collector, from its first page to its last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from snapaudit.hypervisors.vsphere.exchange import Exchange, Request
from snapaudit.hypervisors.vsphere.faults import NETWORK
from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.hypervisors.vsphere.session import Session
from snapaudit.hypervisors.vsphere.soap.fault import Malformed, SoapFault
from snapaudit.hypervisors.vsphere.soap.flat import FlatReader
from snapaudit.hypervisors.vsphere.soap.page import PageReader
from snapaudit.hypervisors.vsphere.soap.request import go_on

FIRST, NEXT = "RetrievePropertiesEx", "ContinueRetrievePropertiesEx"
_INVALID = "InvalidProperty"
_PAGES_WITHOUT_NEWS = 10

Wanted = Mapping[str, Sequence[str]]
Ask = Callable[[Wanted], bytes]
"""The body of a request for these kinds and paths."""

Reader = FlatReader | PageReader


class Sweep:
    """Hands out each object once, and raises SoapFault for what may be mended outside.

    ``unknown`` are paths that this release does not know; more are found on the way, and added.
    """

    def __init__(self, session: Session, reader: Callable[[], Reader], unknown: set[str]) -> None:
        self._session, self._reader, self._unknown = session, reader, unknown
        self._exchange = Exchange(session.stub)
        self._seen: set[str] = set()

    def close(self) -> None:
        """Let go what was asked for and is not wanted any more."""
        self._exchange.drop()

    def known(self, wanted: Wanted) -> Wanted:
        """Without the paths that this release does not know, as far as that is known."""
        return {
            kind: [path for path in paths if path not in self._unknown]
            for kind, paths in wanted.items()
        }

    def pages(self, ask: Ask, wanted: Wanted, then: Ask | None = None) -> Iterator[RawObject]:
        """All pages of one request; paths that the release does not know are missing everywhere.

        A server answers the whole call with InvalidProperty, which names one path at a time.
        ``then`` is what will be asked afterwards.
        """
        for _ in range(1 + sum(map(len, wanted.values()))):
            known = self.known(wanted)
            try:
                for found in self._pages(ask(known), then and (lambda: then(self.known(wanted)))):
                    yield _noted(found, self._unknown, wanted)
            except SoapFault as error:
                named = _named(error, known)
                if not named:
                    raise
                self._unknown |= named
            else:
                return

    def _pages(self, body: bytes, then: Callable[[], bytes] | None) -> Iterator[RawObject]:
        request, stale = Request(FIRST, body), 0
        while stale < _PAGES_WITHOUT_NEWS:
            reader, before = self._reader(), len(self._seen)
            for found in self._answer(request, reader, then):
                if found.moid not in self._seen:
                    self._seen.add(found.moid)
                    yield found
            if reader.token is None:
                return
            request = self._following(reader.token)
            stale = 0 if len(self._seen) > before else stale + 1
        raise self._session.ours(Malformed("the server goes on sending pages without news"))

    def _following(self, token: str) -> Request:
        return Request(NEXT, go_on(self._session.collector, token))

    def _answer(
        self, request: Request, reader: Reader, then: Callable[[], bytes] | None
    ) -> Iterator[RawObject]:
        """What comes next is asked for as soon as it is known: a page's token stands first."""
        try:
            for _ in self._exchange.ask(request, reader):
                taken = reader.take()
                if taken and not self._exchange.is_ahead:
                    self._send_ahead(reader.token, then)
                yield from taken
            yield from reader.take()
        except (Malformed, *NETWORK) as error:
            raise self._session.ours(error) from error

    def _send_ahead(self, token: str | None, then: Callable[[], bytes] | None) -> None:
        if token is not None:
            self._exchange.send_ahead(self._following(token))
        elif then is not None:
            self._exchange.send_ahead(Request(FIRST, then()))


def _named(error: SoapFault, wanted: Wanted) -> set[str]:
    """The paths that an InvalidProperty is about."""
    if error.name != _INVALID or not error.about:
        return set()
    asked = {path for paths in wanted.values() for path in paths}
    if error.about in asked:
        return {error.about}
    return {path for path in asked if path.endswith(f".{error.about}")}


def _noted(found: RawObject, unknown: set[str], wanted: Wanted) -> RawObject:
    """The object with the paths in ``missing`` that nobody could ask for."""
    if not unknown:
        return found
    asked = wanted.get(found.kind) or [path for paths in wanted.values() for path in paths]
    lacking = {path: _INVALID for path in asked if path in unknown}
    if not lacking:
        return found
    return RawObject(found.kind, found.moid, found.values, {**found.missing, **lacking})
