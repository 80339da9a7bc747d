"""A tagging service over HTTPS on loopback: strict about what it is asked, and faulty on demand."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests import canaries
from tests.beds import certificates

USER, PASSWORD = "audit@vsphere.local", canaries.VCENTER_TAGS
_LOGIN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
_ACTION = "list-attached-tags-on-objects"


@dataclass
class Tagging:
    """What is tagged with what, and how the service behaves.

    ``statuses``: what to answer instead, by the beginning of a path. ``silent``: paths that are
    never answered; ``dripping``: those that are answered a byte at a time, without end.
    """

    form: str = "rest"
    categories: dict[str, str] = field(default_factory=dict)
    tags: dict[str, tuple[str, str]] = field(default_factory=dict)
    attached: dict[str, list[str] | None] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    silent: str | None = None
    dripping: str | None = None
    port: int = 0
    sessions: set[str] = field(default_factory=set)
    ended: int = 0
    asked: list[str] = field(default_factory=list)
    largest: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def session_path(self) -> str:
        return "/rest/com/vmware/cis/session" if self.form == "rest" else "/api/session"

    @property
    def tagging_path(self) -> str:
        return f"/{self.form}" + ("/com/vmware" if self.form == "rest" else "") + "/cis/tagging"

    def tag(self, category: str, name: str, *machines: str) -> str:
        """A tag in a category, on machines; its id."""
        home, identity = f"urn:category:{category}:GLOBAL", f"urn:tag:{category}/{name}:GLOBAL"
        self.categories[home] = category
        self.tags[identity] = (name, home)
        for moid in machines:
            self.attached[moid] = [*(self.attached.get(moid) or []), identity]
        return identity


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    service: Tagging


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def service(self) -> Tagging:
        assert isinstance(self.server, _Server)
        return self.server.service

    def do_GET(self) -> None:
        self._answered("GET")

    def do_POST(self) -> None:
        self._answered("POST")

    def do_DELETE(self) -> None:
        self._answered("DELETE")

    def _answered(self, method: str) -> None:
        service, path = self.service, unquote(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service.asked.append(f"{method} {path}")
        if service.silent is not None and path.startswith(service.silent):
            service.over.wait(60)
            self.close_connection = True
            return
        if service.dripping is not None and path.startswith(service.dripping):
            self._drip()
            return
        status = next((s for at, s in service.statuses.items() if path.startswith(at)), 0)
        told: Any = None
        if not status:
            status, told = self._told(method, path, body)
        raw = next((b for at, b in service.bodies.items() if path.startswith(at)), None)
        self._send(status, self._written(status, told) if raw is None else raw)

    def _told(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        service = self.service
        if path == service.session_path:
            return self._session(method)
        if not path.startswith(f"{service.tagging_path}/"):
            return 404, None
        if self.headers.get("vmware-api-session-id") not in service.sessions:
            return 401, None
        place, _, query = path.partition("?")
        kind, _, identity = place.removeprefix(f"{service.tagging_path}/").partition("/")
        if kind == "tag-association" and method == "POST":
            return self._association(query, body)
        if service.form == "rest" and not identity.startswith("id:"):
            return 404, None
        identity = identity.removeprefix("id:")
        if kind == "tag" and identity in service.tags:
            name, home = service.tags[identity]
            return 200, {"id": identity, "name": name, "category_id": home, "used_by": None}
        if kind == "category" and identity in service.categories:
            return 200, {"id": identity, "name": service.categories[identity]}
        return 404, None

    def _session(self, method: str) -> tuple[int, Any]:
        service, known = self.service, self.headers.get("vmware-api-session-id")
        if method == "POST" and self.headers.get("Authorization") == _LOGIN:
            service.sessions.add(canaries.TAGS_SESSION)
            return 200, canaries.TAGS_SESSION
        if method == "DELETE" and known in service.sessions:
            service.sessions.discard(known)
            service.ended += 1
            return 200, None
        return 401, None

    def _association(self, query: str, body: bytes) -> tuple[int, Any]:
        service, mark = self.service, "~action" if self.service.form == "rest" else "action"
        asked = json.loads(body)["object_ids"]
        service.largest = max(service.largest, len(asked))
        if query != f"{mark}={_ACTION}" or any(set(one) != {"type", "id"} for one in asked):
            return 400, None
        return 200, [
            {"object_id": one, "tag_ids": service.attached[one["id"]]}
            for one in asked
            if one["id"] in service.attached
        ]

    def _written(self, status: int, told: Any) -> bytes:
        if status != 200 or (told is None and self.command == "DELETE"):
            return b""
        return json.dumps({"value": told} if self.service.form == "rest" else told).encode()

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.close_connection = True
        while not self.service.over.wait(0.02):
            try:
                self.wfile.write(b" ")
            except OSError:
                return

    def log_message(self, *_: Any) -> None:
        return


def certified(folder: Path) -> Path:
    """The folder, with an authority (``cacert.pem``) and its certificate for localhost in it."""
    certificates.server(certificates.authority(folder), "localhost")
    return folder


@contextmanager
def serving(service: Tagging, folder: Path) -> Iterator[Tagging]:
    """The service on a free port of loopback, with the certificate in the folder."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "servercert.pem", folder / "serverkey.pem")
    server = _Server(("127.0.0.1", 0), _Handler)
    server.service = service
    server.socket = context.wrap_socket(server.socket, server_side=True)
    service.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
