"""The hand that changes a libvirt host, one call at a time. Nothing that audits builds it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from snapaudit.errors import CallRefused, HypervisorError, Unreachable, UsageError
from snapaudit.hypervisors.libvirt import calls, deadline, offline, sending, stopping, watching
from snapaudit.hypervisors.libvirt.address import Address, parse_address
from snapaudit.hypervisors.libvirt.client import Client
from snapaudit.hypervisors.libvirt.collect import files_of
from snapaudit.hypervisors.libvirt.deadline import Pending, TookTooLong
from snapaudit.hypervisors.libvirt.failures import as_ours, explained, is_gone, is_out_of_space
from snapaudit.hypervisors.libvirt.reading import Reading
from snapaudit.hypervisors.libvirt.sending import Ready, Target
from snapaudit.hypervisors.libvirt.settings import settings
from snapaudit.hypervisors.libvirt.translate import described, view
from snapaudit.hypervisors.libvirt.ways import Way
from snapaudit.hypervisors.libvirt.xml import XmlError
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.model.plan import Action, VmId

Answer = TypeVar("Answer")
_State = tuple[tuple[int, int, int], tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class _Sent:
    call: Call
    ready: Ready
    pending: Pending[None]
    total: int


class LibvirtActuator:
    """One endpoint, on a writable connection; see the port for what it promises.

    A connection that was lost is opened again by ``observe`` alone. No call is ever made twice.
    """

    def __init__(self, endpoint: Endpoint, password: str | None) -> None:
        self._endpoint, self._password = endpoint, password
        self._address = _verified(endpoint)
        self._settings = settings(endpoint)
        self._seconds = endpoint.deadline.total_seconds()
        self._readings: dict[str, Reading] = {}
        self._sent: list[_Sent] = []
        self._proven: dict[tuple[str, str], _State | None] = {}
        self._answered_at = time.monotonic()
        self._client = self._opened()

    # Looking ------------------------------------------------------------------------------------

    def observe(self, vm_id: VmId) -> Inventory:
        """Read the host, and measure this machine's images alone."""
        if not self._client.is_alive:
            self._client = self._opened()
        try:
            reading = self._within(lambda: self._read(vm_id))
        except Unreachable:
            self._client = self._opened()
            reading = self._within(lambda: self._read(vm_id))
        self._readings[vm_id] = reading
        return reading.inventory

    def _read(self, vm_id: str) -> Reading:
        client = self._client
        raw = client.read(refresh_pools=False, seen=lambda _done, _total: None)
        files = files_of(self._endpoint, self._address, raw, client, lambda: True)
        is_local = self._address.shares_files_with_us(raw["hostname"])
        seen = view(raw, files, only=vm_id)
        found = described(
            seen,
            endpoint=self._endpoint,
            collected_at=datetime.now(UTC),
            is_local=is_local or self._address.is_test_driver,
            is_verified=self._address.is_verified,
        )
        return Reading(view=seen, inventory=found, uuid=vm_id, is_local=is_local)

    def next_call(self, action: Action, seen: Inventory, made: Sequence[Call]) -> Call | None:
        """See `Way`. What is not this actuator's latest look at the machine is looked up anew."""
        if any(sent.call in made and is_out_of_space(sent.pending.error) for sent in self._sent):
            return None  # another way needs the same room
        reading = self._readings.get(action.vm_id)
        if reading is None or reading.inventory is not seen:
            self.observe(action.vm_id)
            reading = self._readings[action.vm_id]
        way = Way(
            action=action,
            seen=reading,
            made=tuple(made),
            settings=self._settings,
            is_merged=self._is_merged,
        )
        try:
            return way.next_call()
        except XmlError as error:
            raise Unreachable(f"{self._endpoint.name}: {error}") from error

    def _is_merged(self, overlay: str, base: str, base_format: str) -> bool:
        """By our own merge, if neither file was written to since; else by comparing the two."""
        proven = self._proven.get((overlay, base))
        if proven is not None and proven == _state(overlay, base):
            return True
        before = _state(overlay, base)
        is_merged = offline.is_merged(overlay, base, base_format)
        if is_merged and before is not None and before == _state(overlay, base):
            self._proven[(overlay, base)] = before
        return is_merged

    # Acting -------------------------------------------------------------------------------------

    def send(self, call: Call) -> str | None:
        """Look once more, then make the call in a thread and return."""
        uuid = call.about["vm_id"]
        if any(s.call.about["vm_id"] == uuid and not s.pending.is_over for s in self._sent):
            raise CallRefused("a call for this machine is still under way: nothing was sent")
        try:
            ready = deadline.within(self._seconds, lambda: self._looked_at(call))
        except (TookTooLong, OSError, KeyError, XmlError, self._client.sdk.libvirtError) as error:
            raise CallRefused(f"{self._endpoint.name}: {explained(error)}") from error
        total = offline.used(calls.about(call, "overlay")) if ready.merge is not None else 0
        pending = deadline.start(lambda: self._make(call, ready))
        self._sent.append(_Sent(call, ready, pending, total))
        self._answered_at = time.monotonic()
        return ready.task_id

    def stop_of(self, merge: Call) -> Call | None:
        """See `stopping`; block jobs by hand can be taken back, and nothing else."""
        return stopping.stop_of(merge)

    def _looked_at(self, call: Call) -> Ready:
        ready = stopping.ready if call.name == calls.ABORT else sending.ready
        return ready(call, self._target(call))

    def _make(self, call: Call, ready: Ready) -> None:
        ready.make()
        if call.name == calls.MERGE_OFFLINE:
            pair = calls.about(call, "overlay"), calls.about(call, "base")
            self._proven[pair] = _state(*pair)

    def watch(self, call: Call, task_id: str | None) -> Watched:
        """Ours by its thread first; then, and for any other, by what the machine shows."""
        del task_id
        sent = next((sent for sent in reversed(self._sent) if sent.call == call), None)
        if sent is not None and sent.pending.error is not None:
            return self._failed(sent.pending.error)
        if sent is not None and not sent.pending.is_over:
            return self._under_way(sent)
        return self._look(lambda: watching.watched(call, self._target(call)))

    def _under_way(self, sent: _Sent) -> Watched:
        if sent.ready.merge is not None:
            share = sent.ready.merge.share_done
            done = round(sent.total * share) if share is not None else None
            return Watched(phase=Phase.RUNNING, done_bytes=done, total_bytes=sent.total or None)
        return self._look(lambda: watching.figures(sent.call, self._target(sent.call)))

    def _failed(self, error: Exception) -> Watched:
        if isinstance(error, self._client.sdk.libvirtError) and not self._client.is_alive:
            raise self._lost(error) from error
        return Watched(phase=Phase.FAILED, reason=explained(error))

    def _look(self, work: Callable[[], Watched]) -> Watched:
        """What is seen. A machine that cannot be asked just now is taken to be at work, for a time.

        libvirt answers with all kinds of errors while a QEMU starts, stops or dies.
        """
        try:
            seen = self._within(work)
        except self._client.sdk.libvirtError as error:
            if is_gone(error):
                return watching.OVER
            unclear = time.monotonic() - self._answered_at
            if not self._client.is_alive or unclear > self._seconds:
                raise self._lost(error) from error
            return Watched(phase=Phase.RUNNING)
        self._answered_at = time.monotonic()
        return seen

    def _lost(self, error: Exception) -> HypervisorError:
        return as_ours(error, self._endpoint.name, self._endpoint.url)

    def close(self) -> None:
        """Let the connection go. What was sent goes on."""
        self._client.close()

    # The connection -----------------------------------------------------------------------------

    def _target(self, call: Call) -> Target:
        uuid = calls.about(call, "vm_id")
        reading = self._readings.get(uuid)
        is_here = self._address.host is None if reading is None else reading.is_local
        resolve = os.path.realpath if is_here else os.path.normpath
        return Target(self._client.sdk, self._client.domain(uuid), resolve)

    def _opened(self) -> Client:
        account = self._endpoint.enforce_as or self._endpoint.account
        client = Client(self._endpoint.name, self._endpoint.url, writable=True)
        self._within(lambda: client.connect(account.username, self._password))
        return client

    def _within(self, work: Callable[[], Answer]) -> Answer:
        try:
            return deadline.within(self._seconds, work)
        except TookTooLong as error:
            raise Unreachable(f"{self._endpoint.name}: {self._endpoint.url}: {error}") from error


def _verified(endpoint: Endpoint) -> Address:
    address = parse_address(endpoint.url)
    if not address.is_verified:
        raise UsageError(
            f"endpoint {endpoint.name}: {endpoint.url}: over this connection nobody proves who "
            "answers, so nothing is changed; use qemu+tls:// or qemu+ssh:// without no_verify"
        )
    return address


def _state(overlay: str, base: str) -> _State | None:
    try:
        return offline.state_of(overlay), offline.state_of(base)
    except OSError:
        return None
