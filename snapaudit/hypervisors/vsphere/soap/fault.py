"""A SOAP fault as a value: the type's name, the server's words, and what a few of them carry."""

from __future__ import annotations

from xml.etree.ElementTree import Element
from xml.parsers.expat import ExpatError, errors

NOT_SOAP = (
    "what answers there speaks no SOAP: it is no vCenter or ESXi host, or a proxy stands before it"
)


class SoapFault(Exception):
    """The server answered with a fault, by the type's name in the API reference.

    ``about`` is the path, privilege or object that the fault names, if it names one.
    """

    def __init__(self, name: str, message: str = "", about: str | None = None) -> None:
        self.name, self.message, self.about = name, " ".join(message.split()), about
        super().__init__(f"{name}: {self.message}" if self.message else name)


class Malformed(Exception):
    """An answer that is no SOAP, or is nothing that this API can say."""


class Cut(Malformed):
    """An answer that ended before its end."""

    def __init__(self) -> None:
        super().__init__("the answer was cut off before its end")


_CUT = {
    errors.codes[errors.XML_ERROR_NO_ELEMENTS],
    errors.codes[errors.XML_ERROR_UNCLOSED_TOKEN],
    errors.codes[errors.XML_ERROR_PARTIAL_CHAR],
}


def unparsed(error: ExpatError) -> Malformed:
    """Why an answer could not be read that has not even begun to be SOAP."""
    return Cut() if error.code in _CUT else Malformed(NOT_SOAP)


_ABOUT = ("name", "privilegeId", "invalidProperty", "obj", "method")
_XSI_TYPE = ":type"


def local(name: str) -> str:
    """A name without its prefix."""
    return name.rpartition(":")[2]


def type_of(element: Element) -> str | None:
    """The value of ``xsi:type``, whatever its prefix, without that of the type."""
    for name, value in element.attrib.items():
        if name.endswith(_XSI_TYPE) and not name.startswith("xmlns:"):
            return local(value)
    return None


def fault_of(element: Element) -> SoapFault:
    """From ``soapenv:Fault``. Faults of types nobody knows keep their name."""
    message = detail = None
    for child in element:
        match local(child.tag):
            case "faultstring":
                message = child.text
            case "detail":
                detail = next(iter(child), None)
    if detail is None:
        return SoapFault("RuntimeFault", message or "")
    name = type_of(detail) or local(detail.tag).removesuffix("Fault")
    return SoapFault(name, message or "", about_of(detail))


def localized(element: Element) -> SoapFault:
    """From a LocalizedMethodFault, which tasks and missing properties carry."""
    message = fault = None
    for child in element:
        match local(child.tag):
            case "localizedMessage":
                message = child.text
            case "fault":
                fault = child
    if fault is None:
        return SoapFault("MethodFault", message or "")
    return SoapFault(type_of(fault) or "MethodFault", message or "", about_of(fault))


def about_of(element: Element) -> str | None:
    """The first of the fields that say what a fault is about."""
    return next((found for name in _ABOUT if (found := element.findtext(name))), None)
