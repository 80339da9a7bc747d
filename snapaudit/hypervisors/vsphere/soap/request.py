"""Requests as text: the property collector's, and those whose answers are read in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
)
_TAIL = "</soapenv:Body></soapenv:Envelope>"
_NAMESPACE = "urn:vim25"
Reference = tuple[str, str]
"""A managed object: its kind and its moid."""


def request(method: str, target: Reference, inside: str = "") -> bytes:
    """One call as the body of a POST."""
    body = f'<{method} xmlns="{_NAMESPACE}">{reference("_this", target)}{inside}</{method}>'
    return f"{_HEAD}{body}{_TAIL}".encode()


def reference(name: str, target: Reference) -> str:
    """An element that names a managed object."""
    kind, moid = target
    return f"<{name} type={quoteattr(kind)}>{escape(moid)}</{name}>"


def retrieve_view(
    collector: Reference, view: Reference, wanted: Mapping[str, Sequence[str]], page: int
) -> bytes:
    """RetrievePropertiesEx of everything in a view, one PropertySpec a kind."""
    objects = (
        f"<objectSet>{reference('obj', view)}<skip>true</skip>"
        '<selectSet xsi:type="TraversalSpec"><name>view</name>'
        f"<type>{view[0]}</type><path>view</path><skip>false</skip></selectSet></objectSet>"
    )
    return _retrieve(collector, wanted, objects, page)


def retrieve_objects(
    collector: Reference, kind: str, moids: Iterable[str], paths: Sequence[str]
) -> bytes:
    """RetrievePropertiesEx of these objects; those that are gone by now are to be left out."""
    begin = f"<objectSet><obj type={quoteattr(kind)}>"
    objects = "".join(f"{begin}{escape(moid)}</obj></objectSet>" for moid in moids)
    gone = "<reportMissingObjectsInResults>true</reportMissingObjectsInResults>"
    return _retrieve(collector, {kind: paths}, objects + gone, None)


def _retrieve(
    collector: Reference, wanted: Mapping[str, Sequence[str]], objects: str, page: int | None
) -> bytes:
    specs = "".join(_spec(kind, paths) for kind, paths in wanted.items())
    size = f"<maxObjects>{page}</maxObjects>" if page else ""
    inside = f"<specSet>{specs}{objects}</specSet><options>{size}</options>"
    return request("RetrievePropertiesEx", collector, inside)


def _spec(kind: str, paths: Sequence[str]) -> str:
    chosen = "".join(f"<pathSet>{escape(path)}</pathSet>" for path in paths)
    return f"<propSet><type>{escape(kind)}</type><all>false</all>{chosen}</propSet>"


def go_on(collector: Reference, token: str) -> bytes:
    """ContinueRetrievePropertiesEx: the next page."""
    inside = f"<token>{escape(token)}</token>"
    return request("ContinueRetrievePropertiesEx", collector, inside)
