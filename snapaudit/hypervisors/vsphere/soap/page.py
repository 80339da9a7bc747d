"""A page of the property collector (vmodl.query.PropertyCollector.RetrieveResult), carefully read.

Every object is built as a tree, and every value understood by the type that it says it has.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.hypervisors.vsphere.soap.fault import Malformed, SoapFault, localized
from snapaudit.hypervisors.vsphere.soap.stream import LARGEST, Stream, ignore
from snapaudit.hypervisors.vsphere.soap.values import value_of

EXPIRED = "NotAuthenticated"


class PageReader:
    """Reads one answer. ``token`` is set if there are more pages."""

    def __init__(self, *, largest: int = LARGEST) -> None:
        self.stream = Stream(self, largest=largest)
        self.token: str | None = None
        self._ready: list[RawObject] = []

    def feed(self, data: bytes) -> None:
        """The next piece of the answer. Raises Malformed."""
        self.stream.feed(data)

    def close(self) -> None:
        """The answer ended. Raises Malformed if it was cut, SoapFault if it was one."""
        self.stream.close()

    def take(self) -> list[RawObject]:
        """The objects that were read since the last call."""
        taken, self._ready = self._ready, []
        return taken

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element of the answer begins."""
        if name == "objects":
            self.stream.tree(name, attributes, self._object)
        elif name == "token":
            self.stream.tree(name, attributes, self._go_on)
        elif name != "returnval":
            self.stream.tree(name, attributes, ignore)

    def _object(self, element: Element) -> None:
        self._ready.append(object_of(element))

    def _go_on(self, element: Element) -> None:
        self.token = element.text


def object_of(element: Element) -> RawObject:
    """From an ObjectContent. Raises Malformed, and SoapFault when nobody is logged in any more."""
    target = element.find("obj")
    if target is None or not target.text:
        raise Malformed("the answer holds an object without a name")
    try:
        values = {p.findtext("name", ""): _value(p) for p in element.iterfind("propSet")}
    except (KeyError, ValueError) as error:
        raise Malformed(f"{target.text} is not told as it has to be: {error!r}") from error
    missing = dict(_missing(one) for one in element.iterfind("missingSet"))
    return RawObject(target.get("type", ""), target.text, values, missing)


def _value(element: Element) -> object:
    found = element.find("val")
    if found is None:
        raise ValueError("a property without a value")
    return value_of(found)


def _missing(element: Element) -> tuple[str, str]:
    fault = element.find("fault")
    found = SoapFault("MethodFault") if fault is None else localized(fault)
    if found.name == EXPIRED:
        raise found
    privilege = found.about if found.name == "NoPermission" else None
    return element.findtext("path", ""), f"{found.name}: {privilege}" if privilege else found.name
