"""A session: logged in, with the handful of objects that every call needs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from pyVmomi import vim

from snapaudit.errors import HypervisorError, SnapauditError
from snapaudit.hypervisors.vsphere.faults import EXPIRED, NETWORK, as_ours, garbled, lost
from snapaudit.hypervisors.vsphere.raw import About
from snapaudit.hypervisors.vsphere.soap.fault import Malformed, SoapFault
from snapaudit.hypervisors.vsphere.soap.request import Reference
from snapaudit.hypervisors.vsphere.stub import Stub

Answer = TypeVar("Answer")


class Expired(Exception):
    """The server no longer knows the session."""


class Session:
    """Everything that is asked goes through `asked`, which speaks our errors."""

    def __init__(self, stub: Stub, where: str, username: str, password: str) -> None:
        self.stub, self.where = stub, where
        self._username, self._password = username, password
        self.logins = 0
        self.content: Any = self.asked(self._content)
        self.about = about_of(self.content.about)
        stub.speak(self.about.api_version)
        self.log_in()

    def _content(self) -> Any:
        return vim.ServiceInstance("ServiceInstance", self.stub).RetrieveServiceContent()

    def log_in(self) -> None:
        """Begin a session, with a cookie of its own; anew only at the server that it began at."""
        self.stub.cookie = ""
        if self.logins:
            self._must_be_the_same()
        manager = self.content.sessionManager
        begun = self.asked(lambda: manager.Login(self._username, self._password))
        self.key = str(begun.key)
        self.logins += 1

    def _must_be_the_same(self) -> None:
        """An address may lead elsewhere by now, and a password is for one server."""
        found = about_of(self.asked(self._content).about)
        if found.uuid != self.about.uuid:
            raise HypervisorError(
                f"{self.where}: another server answers by now ({found.uuid}, not "
                f"{self.about.uuid}): nothing is asked of it"
            )

    def log_out(self) -> None:
        """End the session, as far as the server lets us; the connection is closed in any case."""
        with suppress(SnapauditError):
            self.asked(self.content.sessionManager.Logout)
        self.stub.DropConnections()

    @property
    def collector(self) -> Reference:
        """The property collector."""
        return "PropertyCollector", str(self.content.propertyCollector._moId)

    def asked(self, work: Callable[[], Answer]) -> Answer:
        """What a call returns; its faults as HypervisorError. Sent once."""
        try:
            return work()
        except (SoapFault, Malformed, *NETWORK) as error:
            raise self.ours(error) from error

    def reading(self, work: Callable[[], Answer]) -> Answer:
        """The same for a call that changes nothing: after an expired session, once more."""
        try:
            return self._unless_expired(work)
        except Expired:
            self.log_in()
            return self.asked(work)

    def _unless_expired(self, work: Callable[[], Answer]) -> Answer:
        try:
            return work()
        except SoapFault as error:
            if error.name == EXPIRED:
                raise Expired from error
            raise self.ours(error) from error
        except (Malformed, *NETWORK) as error:
            raise self.ours(error) from error

    def ours(self, error: Exception) -> HypervisorError:
        """Any failure of a call as one of our errors."""
        match error:
            case HypervisorError():
                return error
            case SoapFault():
                return as_ours(error, self.where)
            case Malformed():
                return garbled(error, self.where)
            case _:
                return lost(error, self.where)


def about_of(about: Any) -> About:
    """From vim.AboutInfo."""
    return About(
        uuid=about.instanceUuid or None,
        full_name=str(about.fullName),
        api_type=str(about.apiType),
        api_version=str(about.apiVersion),
    )
