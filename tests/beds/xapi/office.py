"""What the server does for each call: roles, tasks, and the rules of XAPI's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests import canaries
from tests.beds.xapi.deeds import Deeds, Fault
from tests.beds.xapi.query import BadQuery, parse
from tests.beds.xapi.table import Record, is_allowed, role_needed, roles, table
from tests.beds.xapi.world import World


@dataclass
class User:
    """An account. Of no role: the local superuser, who may do all."""

    password: str
    role: str | None = None


@dataclass
class Job:
    """A task under way: when it is due, and what it does then."""

    due: float
    work: Callable[[], Any]
    done: Callable[[], None]


@dataclass
class Office:
    """Answers calls on a world. ``before``: what happens right before a method is carried out.

    ``faults``: the next answers to a method, in their order. ``task_seconds``: how long a task
    takes, by ``clock``.
    """

    world: World
    users: dict[str, User] = field(default_factory=lambda: {"root": User(canaries.POOL)})
    sessions: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    always: Callable[[], None] = lambda: None
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    task_seconds: float = 0.0
    clock: Callable[[], float] = time.monotonic
    slave_of: str | None = None
    _numbers: int = 0

    def __post_init__(self) -> None:
        self.deeds = Deeds(self.world)

    def call(self, method: str, params: list[Any]) -> Any:
        """What a call returns. Raises Fault."""
        self.tick()
        self.always()
        hook = self.before.pop(method, None)
        if hook is not None:
            hook()
        if self.faults.get(method):
            raise self.faults[method].pop(0)
        if method == "session.login_with_password":
            return self._login(*params)
        session, *rest = params or [""]
        self._permit(session, method)
        if method.startswith("Async."):
            return self._later(method.removeprefix("Async."), rest)
        return self._now(method, session, rest)

    # Sessions and roles -------------------------------------------------------------------------

    def _login(self, user: str, password: str, *_: str) -> str:
        if self.slave_of is not None:
            raise Fault("HOST_IS_SLAVE", self.slave_of)
        known = self.users.get(user)
        if known is None or known.password != password:
            raise Fault("SESSION_AUTHENTICATION_FAILED", user, "Authentication failure")
        self._numbers += 1
        ref = f"OpaqueRef:{canaries.POOL_SESSION}-{self._numbers}"
        self.sessions[ref] = user
        return ref

    def _permit(self, session: str, method: str) -> None:
        if session not in self.sessions:
            raise Fault("SESSION_INVALID", session)
        if method == "session.logout":
            return
        if method in self.unknown or role_needed(method) is None:
            raise Fault("MESSAGE_METHOD_UNKNOWN", method)
        role = self.users[self.sessions[session]].role or roles()[-1]
        if not is_allowed(role, method):
            name = method.removeprefix("Async.").lower()
            raise Fault("RBAC_PERMISSION_DENIED", name, "No permission in user session")

    def _rights(self, session: str) -> list[str]:
        role = self.users[self.sessions[session]].role
        methods = [each for each in table()["methods"] if "." in each]
        return [] if role is None else [m.lower() for m in methods if is_allowed(role, m)]

    # Tasks --------------------------------------------------------------------------------------

    def _later(self, method: str, params: list[Any]) -> str:
        task = self.world.db.add("task", name_label=f"Async.{method}", created=self.world.now())
        begin = _MARKS.get(method)
        record = self.deeds.record(begin[0], params[0]) if begin is not None else None
        if record is not None and begin is not None:
            record["current_operations"][task] = begin[1]

        def done() -> None:
            if record is not None:
                record["current_operations"].pop(task, None)

        due = self.clock() + self.task_seconds
        self.jobs[task] = Job(due, lambda: self._now(method, "", params), done)
        return task

    def tick(self) -> None:
        """Carry out what is due."""
        for task, job in list(self.jobs.items()):
            if self.clock() >= job.due:
                del self.jobs[task]
                job.done()
                self._finish(task, job)

    def _finish(self, task: str, job: Job) -> None:
        record: Record = self.world.db.classes["task"].get(task, {})
        try:
            job.work()
            record |= {"status": "success", "progress": 1.0, "result": ""}
        except Fault as fault:
            record |= {"status": "failure", "progress": 1.0, "error_info": fault.details}
        record["finished"] = self.world.now()

    # Methods ------------------------------------------------------------------------------------

    def _now(self, method: str, session: str, params: list[Any]) -> Any:
        if method.startswith("session."):
            return self._of_session(method, session)
        deed = self.deeds.known.get(method)
        if deed is not None:
            return deed(*params)
        name, _, call = method.partition(".")
        readings: dict[str, Callable[..., Any]] = {
            "get_servertime": lambda _ref: self.world.now(),
            "get_all_records": lambda: dict(self.world.db.classes[name]),
            "get_all_records_where": lambda text: self._where(name, text),
            "get_all": lambda: list(self.world.db.classes[name]),
            "get_by_uuid": lambda uuid: self._by_uuid(name, uuid),
            "get_record": lambda ref: self.deeds.record(name, ref),
            "get_uuid": lambda ref: self.deeds.record(name, ref)["uuid"],
        }
        return readings[call](*params)

    def _of_session(self, method: str, session: str) -> Any:
        if method == "session.logout":
            del self.sessions[session]
            return ""
        if method == "session.get_rbac_permissions":
            return self._rights(session)
        return self.users[self.sessions[session]].role is None

    def _where(self, name: str, text: str) -> dict[str, Record]:
        try:
            return dict(self.world.db.where(name, parse(text)))
        except BadQuery as error:
            raise Fault("INTERNAL_ERROR", f"query: {error}") from error

    def _by_uuid(self, name: str, uuid: str) -> str:
        try:
            return self.world.db.ref(name, uuid)
        except StopIteration as error:
            raise Fault("UUID_INVALID", name, uuid) from error

    def restart(self) -> None:
        """The toolstack is started anew: sessions, tasks and references are forgotten."""
        self.sessions.clear()
        self.jobs.clear()
        self.world.db.classes["task"].clear()
        for name in ("VM", "VDI"):
            self.world.db.renew_references(name)


_MARKS = {
    "VM.destroy": ("VM", "destroy"),
    "VM.hard_shutdown": ("VM", "hard_shutdown"),
    "VDI.destroy": ("VDI", "destroy"),
}
