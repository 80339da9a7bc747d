"""The session that reads a pool: login by the vendor's package, large answers by JSON-RPC.

The package's session sends a call again after it has logged in anew by itself, up to three times.
So it is used for login, logout and as the speaker of XML-RPC, and calls go past its wrapper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, TypeVar

from snapaudit.errors import AccessDenied, HypervisorError, MissingSdk, Unreachable
from snapaudit.hypervisors.xen import failures
from snapaudit.hypervisors.xen.address import Address, coordinator, parse_address
from snapaudit.hypervisors.xen.failures import Said, as_ours, said
from snapaudit.hypervisors.xen.jsonrpc import Failed, JsonLine, NoJson
from snapaudit.hypervisors.xen.reads import LOGIN, READS
from snapaudit.hypervisors.xen.transport import Transport
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.trust import trust

API, ORIGINATOR = "1.0", "snapaudit"
Answer = TypeVar("Answer")


class NotAllowed(HypervisorError):
    """A call that this session may not make. Nothing was sent."""


class Client:
    """One session with the coordinator of a pool; `close` ends it."""

    allowed: frozenset[str] = READS

    def __init__(self, endpoint: Endpoint, account: Account, password: str | None) -> None:
        self._sdk = sdk()
        self._endpoint, self._account, self._password = endpoint, account, password
        self._trust = trust(endpoint.tls)
        self._address = parse_address(endpoint.url)
        self._seconds = endpoint.deadline.total_seconds()
        self._follows = endpoint.options.get("follow_master", False) is True
        self._speaks_json = endpoint.options.get("json", True) is not False
        self._session: Any = None
        self._json: JsonLine | None = None

    @property
    def where(self) -> str:
        """The endpoint and its address, for messages."""
        return f"{self._endpoint.name}: {self._address}"

    @property
    def username(self) -> str:
        """The account of this session."""
        return self._account.username or ""

    @property
    def is_verified(self) -> bool:
        """Whether a certificate proves who answers."""
        return self._trust.is_verified

    # The session --------------------------------------------------------------------------------

    def log_in(self) -> None:
        """Begin a session. Raises HypervisorError.

        A member of the pool is left for its coordinator once, and only where the endpoint says
        ``follow_master: true``.
        """
        if self._account.username is None or self._password is None:
            raise AccessDenied(f"{self.where}: a pool wants a login: set `username` and `password`")
        try:
            self._begin_somewhere()
        except HypervisorError:
            self._drop()
            raise

    def _begin_somewhere(self) -> None:
        try:
            self._begin()
        except Said as error:
            self._address = self._other_coordinator(error)
            self._begin_there()

    def _begin_there(self) -> None:
        try:
            self._begin()
        except Said as error:
            if error.code != failures.HOST_IS_SLAVE:
                raise
            raise Unreachable(
                f"{error}; the host that was asked first named this one: the pool is in the middle "
                "of a change of its coordinator, so try again when that is over"
            ) from error

    def _other_coordinator(self, error: Said) -> Address:
        if error.code != failures.HOST_IS_SLAVE:
            raise error
        named = coordinator(error.texts[0] if error.texts else "", self._address.port)
        if named is None:
            raise error
        if not self._follows:
            raise Unreachable(
                f"{error}: name that one as url, or set follow_master: true"
            ) from error
        return named

    def _begin(self) -> None:
        self._drop()
        transport = Transport(self._address, self._trust, self._seconds)
        session = self._sdk.Session(str(self._address), transport=transport)
        self._session = session
        login = LOGIN.partition(".")[2]
        credentials = (self._account.username, self._password, API, ORIGINATOR)
        self._asked(lambda: getattr(session, login)(*credentials))
        self._json = JsonLine(self._address, self._trust, self._seconds)

    def close(self) -> None:
        """Log out, as far as the server lets us, and let the connections go."""
        with suppress(Exception):
            if self._session is not None and self._session.handle is not None:
                self._session.xenapi.session.logout()
        self._drop()

    def _drop(self) -> None:
        if self._json is not None:
            self._json.close()
        if self._session is not None:
            self._session("close")()
        self._session = self._json = None

    # Calls --------------------------------------------------------------------------------------

    def permit(self, method: str) -> None:
        """Raises NotAllowed unless the method is on this session's list."""
        if method not in self.allowed:
            raise NotAllowed(f"{method} may not be called by this session: nothing was sent")

    def ask(self, method: str, *params: object) -> Any:
        """What a call returns; it is sent once. Raises HypervisorError, among them `Said`."""
        self.permit(method)
        session = self._session
        if session is None:
            raise Unreachable(f"{self.where}: there is no session")
        return self._asked(lambda: self._result(getattr(session, method), params))

    @property
    def handle(self) -> str:
        """The reference of the session."""
        return str(self._session.handle)

    def _result(self, call: Callable[..., Any], params: Sequence[object]) -> Any:
        match call(self._session.handle, *params):
            case {"Status": "Success", "Value": value}:
                return value
            case {"Status": "Failure", "ErrorDescription": [*details]}:
                raise said(details, self.where)
            case _:
                raise ValueError("no status")

    def rows(self, name: str, where: str | None = None) -> Iterator[tuple[str, Any]]:
        """The records of a class by their references, one by one; ``where``: a query of XAPI's."""
        method = f"{name}.get_all_records" + ("_where" if where is not None else "")
        self.permit(method)
        params = () if where is None else (where,)
        if self._speaks_json:
            try:
                yield from self._json_rows(method, params)
            except NoJson:
                self._speaks_json = False
            else:
                return
        yield from self._mapping(self.ask(method, *params)).items()

    def _mapping(self, answer: object) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise failures.garbled(TypeError("no records"), self.where)
        return answer

    def _json_rows(self, method: str, params: Sequence[object]) -> Iterator[tuple[str, Any]]:
        if self._json is None:
            raise Unreachable(f"{self.where}: there is no session")
        try:
            yield from self._json.rows(method, (self.handle, *params))
        except Failed as error:
            raise said(error.details, self.where) from error
        except failures.ANYTHING as error:
            raise as_ours(error, self.where) from error

    def _asked(self, work: Callable[[], Answer]) -> Answer:
        try:
            return work()
        except self._sdk.Failure as error:
            raise said(error.details, self.where) from error
        except failures.ANYTHING as error:
            raise as_ours(error, self.where) from error


def sdk() -> Any:
    """The XenAPI module."""
    try:
        return import_module("XenAPI")
    except ImportError as error:
        raise MissingSdk(
            "reading a Xen pool needs the XenAPI package: pipx install 'snapaudit[xen]'"
        ) from error
