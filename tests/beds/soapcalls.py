"""SOAP calls as a line sees them: their names, what they are about, and whether they only read.

Everything that is not known to read counts as a change, so that no new call goes unnoticed.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html import escape

READING = frozenset(
    {
        "CancelRetrievePropertiesEx",
        "ContinueRetrievePropertiesEx",
        "CreateCollectorForEvents",
        "CreateCollectorForTasks",
        "CreateContainerView",
        "CurrentTime",
        "DestroyCollector",
        "DestroyView",
        "EstimateStorageForConsolidateSnapshots_Task",
        "FetchUserPrivilegeOnEntities",
        "Fetch",
        "HasPrivilegeOnEntities",
        "HasUserPrivilegeOnEntities",
        "Login",
        "Logout",
        "QueryEvents",
        "ReadNextEvents",
        "ReadNextTasks",
        "RetrieveProperties",
        "RetrievePropertiesEx",
        "RetrieveServiceContent",
        "RewindCollector",
        "SearchDatastoreSubFolders_Task",
        "SessionIsActive",
    }
)
_BODY = re.compile(rb"<(?:[\w.-]+:)?Body[^>]*>\s*<(?:[\w.-]+:)?([\w.-]+)")
_THIS = re.compile(rb"<(?:[\w.-]+:)?_this[^>]*>([^<]*)<")
_FAULT = """\
<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" \
xmlns:xsd="http://www.w3.org/2001/XMLSchema" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<soapenv:Body><soapenv:Fault><faultcode>ServerFaultCode</faultcode>\
<faultstring>{words}</faultstring><detail>\
<{name}Fault xmlns="urn:vim25" xsi:type="{name}">{inside}</{name}Fault>\
</detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"""
_OBJECT = '<object type="Folder">group-d1</object><privilegeId>System.View</privilegeId>'
_INSIDE = {
    "NotAuthenticated": _OBJECT,
    "NoPermission": _OBJECT,
    "ManagedObjectNotFound": '<obj type="Folder">group-d1</obj>',
    "TaskInProgress": '<task type="Task">task-0</task>',
}


@dataclass(frozen=True, slots=True)
class SoapCall:
    """One call: its method, the managed object id that it is about, and all that was said.

    What is no SOAP is named like ``GET /rest/com/vmware/cis/session``.
    """

    method: str
    this: str
    body: bytes

    @property
    def changes(self) -> bool:
        """Whether it may change something on the other side."""
        return " " not in self.method and self.method not in READING


@dataclass(slots=True)
class SoapCounts:
    """How often each method arrived at the line, and the calls that may have changed something.

    ``passed`` counts those that went on to the server, and ``answered`` those whose answer was
    carried back whole.
    """

    arrived: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    changes: list[SoapCall] = field(default_factory=list)


def soap_call(verb: str, path: str, body: bytes) -> SoapCall:
    """The call that a request makes."""
    found = _BODY.search(body) if path.startswith("/sdk") else None
    if found is None:
        return SoapCall(f"{verb} {path.partition('?')[0]}", "", body)
    this = _THIS.search(body)
    return SoapCall(found[1].decode(), this[1].decode() if this else "", body)


def soap_fault(name: str, words: str = "as the test asked for") -> bytes:
    """The answer that is a fault of this type; some types say what they are about."""
    return _FAULT.format(name=name, words=escape(words), inside=_INSIDE.get(name, "")).encode()
