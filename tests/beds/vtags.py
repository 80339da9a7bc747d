"""Tags on machines of the simulator, attached by REST as anybody would."""

from __future__ import annotations

import base64
import json
import ssl
from http.client import HTTPSConnection
from types import TracebackType
from typing import Any, Self

from tests.beds.simulator import PASSWORD, USER, Simulator

_BASE = "/rest/com/vmware/cis"
_TAGGING = f"{_BASE}/tagging"


def attach(simulator: Simulator, vm: str, category: str, tag: str) -> None:
    """Attach a new tag of a new category to a machine, by its name or managed object id."""
    about = {"description": "", "cardinality": "MULTIPLE", "associable_types": []}
    moid = simulator.tell("id", object=vm)["moid"]
    with RestSession(simulator) as rest:
        kind = rest.post(f"{_TAGGING}/category", create_spec={"name": category, **about})
        spec = {"name": tag, "description": "", "category_id": kind}
        made = rest.post(f"{_TAGGING}/tag", create_spec=spec)
        rest.post(
            f"{_TAGGING}/tag-association/id:{made}?~action=attach",
            object_id={"id": moid, "type": "VirtualMachine"},
        )


class RestSession:
    """A session at the REST interface, logged in from ``with`` to the end of the block."""

    def __init__(self, simulator: Simulator) -> None:
        context = ssl.create_default_context(cafile=simulator.ca_file)
        self._connection = HTTPSConnection("127.0.0.1", simulator.port, timeout=20, context=context)
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"}

    def __enter__(self) -> Self:
        self._headers = {"vmware-api-session-id": self.post(f"{_BASE}/session")}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._connection.close()

    def get(self, path: str) -> Any:
        """What is under ``value`` of the answer."""
        return self._ask("GET", path, None)

    def post(self, path: str, **words: object) -> Any:
        """What is under ``value`` of the answer to a body of these words."""
        return self._ask("POST", path, json.dumps(words) if words else None)

    def _ask(self, verb: str, path: str, body: str | None) -> Any:
        self._connection.request(
            verb, path, body, {**self._headers, "Content-Type": "application/json"}
        )
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise ValueError(f"{path}: {answer.status}: {said.decode(errors='replace')}")
        return json.loads(said).get("value") if said.strip() else None
