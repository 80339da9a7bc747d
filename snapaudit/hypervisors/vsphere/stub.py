"""The plain SOAP stub of pyVmomi, kept to a list of methods and to certificates that were checked.

It sends a call once. Neither the stub that logs in again by itself nor the one that sends again is
used anywhere. A method that is not on the list is refused before a byte leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.parsers.expat import ExpatError

from pyVmomi import SoapStubAdapter, VmomiSupport, vmodl

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.vsphere.address import Address
from snapaudit.hypervisors.vsphere.faults import NETWORK, soap_fault
from snapaudit.hypervisors.vsphere.soap.fault import Malformed, unparsed
from snapaudit.trust import Connection, Trust, WrongCertificate

READING = frozenset(
    {"RetrieveServiceContent", "CurrentTime", "Login", "Logout"}
    | {"CreateContainerView", "DestroyView"}
    | {"RetrievePropertiesEx", "ContinueRetrievePropertiesEx"}
    | {"CreateCollectorForTasks", "ReadNextTasks", "DestroyCollector"}
    | {"HasPrivilegeOnEntities", "SearchDatastoreSubFolders_Task"}
)
"""All that a reading session may call. None of it changes the inventory."""

# The first release that every method here is defined in; the server's own is agreed on at login.
_OLDEST = "vim.version.version9"
_IDLE = 10
_NAMESPACE = "vim25/"


class NotAllowed(HypervisorError):
    """A method that this session may not call. Nothing was sent."""


class Stub(SoapStubAdapter):  # type: ignore[misc]
    """Sends what is on its list, once, over connections whose certificate was checked."""

    def __init__(
        self, address: Address, trust: Trust, seconds: float, allowed: frozenset[str] = READING
    ) -> None:
        super().__init__(
            host=address.host,
            port=address.port,
            path=address.path,
            version=_OLDEST,
            sslContext=trust.context,
            poolSize=2,
            connectionPoolTimeout=_IDLE,
        )
        self.scheme = Connection
        self.schemeArgs = {"trust": trust, "seconds": seconds}
        self.seconds, self._allowed = seconds, allowed

    def permit(self, method: str, arguments: Sequence[object] = ()) -> None:
        """Raises NotAllowed unless the method is on the list."""
        del arguments
        if method not in self._allowed:
            raise NotAllowed(f"{method} may not be called by a session that reads")

    def InvokeMethod(self, mo: Any, info: Any, args: Any, outerStub: Any = None) -> Any:
        """The answer; raises SoapFault, Malformed, or what the connection raises."""
        self.permit(info.wsdlName, args)
        try:
            found = super().InvokeMethod(mo, info, args, outerStub)
        except vmodl.MethodFault as error:
            raise soap_fault(error) from error
        except (*NETWORK, WrongCertificate):
            raise
        except ExpatError as error:
            raise unparsed(error) from error
        except Exception as error:
            raise Malformed(
                f"the answer to {info.wsdlName} cannot be understood: {error}"
            ) from error
        if found is None and info.result is not type(None):
            raise Malformed(
                f"its answer to {info.wsdlName} is empty: is it a vCenter or ESXi host?"
            )
        return found

    def speak(self, version: str) -> None:
        """Speak the newest release that both sides know, given the server's API version."""
        self.ComputeVersionInfo(_newest(_numbers(version)))


def _newest(server: tuple[int, ...]) -> str:
    known = {
        _numbers(name.removeprefix(_NAMESPACE)): version
        for name, version in VmomiSupport.versionMap.items()
        if name.startswith(_NAMESPACE) and _numbers(name.removeprefix(_NAMESPACE))
    }
    return str(known[max((one for one in known if one <= server), default=min(known))])


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()
