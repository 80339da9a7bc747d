"""WS-Man messages: what a client asks, and how a host answers. Source: MS-WSMV."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
}
_DECLARED = " ".join(f'xmlns:{short}="{name}"' for short, name in NAMES.items())
_STATE = f"{NAMES['rsp']}/CommandState/"
_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
_OVERHEAD = 2048


@dataclass(frozen=True, slots=True)
class Message:
    """A request, taken apart as far as every action needs it."""

    action: str
    resource: str
    id: str
    envelope_bytes: int
    shell: str | None
    options: dict[str, str]
    body: ET.Element

    @property
    def most_output(self) -> int:
        """Bytes of output that fit into the answer the client asks for."""
        return max(1, (self.envelope_bytes - _OVERHEAD) * 3 // 4)

    def text(self, path: str) -> str | None:
        """The text of an element of the body."""
        return self.body.findtext(path, namespaces=NAMES)

    def texts(self, path: str) -> list[str]:
        """The texts of all elements of that path."""
        return [element.text or "" for element in self.body.iterfind(path, NAMES)]

    def attribute(self, path: str, name: str) -> str | None:
        """An attribute of an element of the body."""
        found = self.body.find(path, NAMES)
        return None if found is None else found.get(name)


def read(data: bytes) -> Message:
    """A request; ValueError for what is none."""
    try:
        root = ET.fromstring(data)
    except ET.ParseError as error:
        raise ValueError(f"no XML: {error}") from error
    header, body = root.find("s:Header", NAMES), root.find("s:Body", NAMES)
    if header is None or body is None:
        raise ValueError("no SOAP envelope")
    selectors = {
        one.get("Name", ""): one.text for one in header.iterfind("w:SelectorSet/w:Selector", NAMES)
    }
    options = header.iterfind("w:OptionSet/w:Option", NAMES)
    return Message(
        action=(header.findtext("a:Action", namespaces=NAMES) or "").rpartition("/")[2],
        resource=header.findtext("w:ResourceURI", namespaces=NAMES) or "",
        id=header.findtext("a:MessageID", namespaces=NAMES) or "",
        envelope_bytes=int(header.findtext("w:MaxEnvelopeSize", namespaces=NAMES) or 0),
        shell=selectors.get("ShellId"),
        options={one.get("Name", ""): (one.text or "").upper() for one in options},
        body=body,
    )


def answer(to: Message, body: str) -> bytes:
    """An envelope around a body."""
    action = f"http://schemas.microsoft.com/wbem/wsman/1/windows/shell/{to.action}Response"
    return (
        f"<s:Envelope {_DECLARED}><s:Header><a:Action>{action}</a:Action>"
        f"<a:MessageID>uuid:{str(uuid4()).upper()}</a:MessageID>"
        f"<a:RelatesTo>{escape(to.id)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault(to: Message, code: int, reason: str) -> bytes:
    """A SOAP fault with the number that Windows gives it."""
    return answer(
        to,
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:InternalError"
        f'</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">{escape(reason)}'
        f'</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="{_FAULT}" Code="{code}" '
        f'Machine="HV1"><f:Message>{escape(reason)}</f:Message></f:WSManFault></s:Detail></s:Fault>',
    )


def created(shell: str, resource: str) -> str:
    """The body that tells of a new shell."""
    return (
        "<x:ResourceCreated><a:Address>http://hv1:5985/wsman</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{escape(resource)}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        f"</x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId>"
        f"<rsp:ResourceUri>{escape(resource)}</rsp:ResourceUri></rsp:Shell>"
    )


def started(command: str) -> str:
    """The body that tells of a new command."""
    return f"<rsp:CommandResponse><rsp:CommandId>{command}</rsp:CommandId></rsp:CommandResponse>"


def output(
    command: str, streams: dict[str, bytes], *, is_done: bool = False, code: int | None = None
) -> str:
    """The body that hands out what a command printed."""
    parts = [
        f'<rsp:Stream Name="{name}" CommandId={quoteattr(command)}>'
        f"{base64.b64encode(data).decode()}</rsp:Stream>"
        for name, data in streams.items()
        if data
    ]
    state = "Done" if is_done else "Running"
    exit_code = f"<rsp:ExitCode>{'' if code is None else code}</rsp:ExitCode>" if is_done else ""
    parts.append(
        f'<rsp:CommandState CommandId={quoteattr(command)} State="{_STATE}{state}">'
        f"{exit_code}</rsp:CommandState>"
    )
    return f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"
