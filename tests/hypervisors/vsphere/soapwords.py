"""Answers of a vCenter as text, in both spellings that are known: vCenter's and the simulator's."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SPACES = (
    'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    f'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="{_XSI}"'
)


def envelope(inside: str) -> bytes:
    """A whole answer around its body."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    body = f"<soapenv:Envelope {_SPACES}><soapenv:Body>{inside}</soapenv:Body></soapenv:Envelope>"
    return (head + body).encode()


def response(method: str, inside: str = "") -> bytes:
    """What a method returns."""
    return envelope(f'<{method}Response xmlns="urn:vim25">{inside}</{method}Response>')


def fault(name: str, message: str = "", inside: str = "") -> bytes:
    """A SOAP fault of a type."""
    detail = f'<{name}Fault xmlns="urn:vim25" xsi:type="{name}">{inside}</{name}Fault>'
    return envelope(
        "<soapenv:Fault><faultcode>ServerFaultCode</faultcode>"
        f"<faultstring>{escape(message)}</faultstring><detail>{detail}</detail></soapenv:Fault>"
    )


def typed(kind: str, style: str = "vcenter") -> str:
    """The attribute that says a value's type, as one of the two servers writes it."""
    if style == "vcenter":
        return f'xsi:type="{kind}"'
    return f'xmlns:XMLSchema-instance="{_XSI}" XMLSchema-instance:type="{kind}"'


def prop(path: str, kind: str, inside: str, style: str = "vcenter", extra: str = "") -> str:
    """A property; ``inside`` is XML."""
    value = f"<val {typed(kind, style)}{extra}>{inside}</val>"
    return f"<propSet><name>{path}</name>{value}</propSet>"


def text(path: str, words: str, style: str = "vcenter") -> str:
    """A property that is text."""
    return prop(path, "xsd:string", escape(words), style)


def missing(path: str, name: str, inside: str = "") -> str:
    """A property that could not be read."""
    told = f'<fault xsi:type="{name}">{inside}</fault><localizedMessage>no</localizedMessage>'
    return f"<missingSet><path>{path}</path><fault>{told}</fault></missingSet>"


def objects(found: Mapping[str, str], kind: str = "VirtualMachine") -> str:
    """Objects by their moid."""
    return "".join(
        f'<objects><obj type="{kind}">{moid}</obj>{inside}</objects>'
        for moid, inside in found.items()
    )


def page(found: str, token: str | None = None, method: str = "RetrievePropertiesEx") -> bytes:
    """A page of objects, and whether more follow."""
    more = f"<token>{escape(token)}</token>" if token else ""
    return response(method, f"<returnval>{more}{found}</returnval>")


CONTENT = response(
    "RetrieveServiceContent",
    '<returnval><rootFolder type="Folder">group-d1</rootFolder>'
    '<propertyCollector type="PropertyCollector">propertyCollector</propertyCollector>'
    '<viewManager type="ViewManager">ViewManager</viewManager>'
    "<about><name>VMware vCenter Server</name><fullName>VMware vCenter Server 8.0.3</fullName>"
    "<vendor>VMware, Inc.</vendor><version>8.0.3</version><build>1</build>"
    "<osType>linux-x64</osType><productLineId>vpx</productLineId>"
    "<apiType>VirtualCenter</apiType><apiVersion>8.0.3.0</apiVersion>"
    "<instanceUuid>11111111-2222-3333-4444-555555555555</instanceUuid></about>"
    '<sessionManager type="SessionManager">SessionManager</sessionManager>'
    '<taskManager type="TaskManager">TaskManager</taskManager>'
    '<authorizationManager type="AuthorizationManager">AuthorizationManager</authorizationManager>'
    "</returnval>",
)
LOGIN = response(
    "Login",
    "<returnval><key>52-key</key><userName>auditor</userName><fullName>Auditor</fullName>"
    "<loginTime>2026-01-01T00:00:00Z</loginTime><lastActiveTime>2026-01-01T00:00:00Z"
    "</lastActiveTime><locale>en</locale><messageLocale>en</messageLocale></returnval>",
)
VIEW = response(
    "CreateContainerView", '<returnval type="ContainerView">session[52]view-1</returnval>'
)
