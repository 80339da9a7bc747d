"""TST-09, reading: whatever the network does, what was not seen whole is named and never clean."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.beds.line import Line
from tests.beds.proxy import Proxy
from tests.cli.running import Ran, snapaudit, write_config
from tests.faults.network.ends import far_end
from tests.faults.network.farend import MACHINE, SNAPSHOT, FarEnd
from tests.faults.network.outages import OUTAGES, End, Outage, Talk

pytestmark = pytest.mark.bed

PLATFORMS = ("libvirt", "libvirt-tcp", "vsphere", "hyperv", "xen")
BLACK_HOLE, NO_NAME = "black-hole", "no-name"
_SHORT, _LONG = ", deadline: 5s", ", deadline: 30s"
_OF_TIME = re.compile(r"within .*\d s\b|timed out|in time")
_WORDS = {
    "refused": ("refused", "nothing listens"),
    NO_NAME: ("name",),
}

Coverages = Mapping[str, Mapping[str, Any]]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_tst_09_what_the_network_keeps_back_is_named_and_never_clean(
    platform: str, tmp_path: Path
) -> None:
    with far_end(platform, tmp_path) as far:
        seen = _audited(far, tmp_path, _talk(far, tmp_path))
        wrong = [words for outage in OUTAGES for words in _complaints(outage, seen[outage.name])]
        wrong += [f"{BLACK_HOLE}: {w}" for w in _late(seen[BLACK_HOLE])]
        wrong += [f"{NO_NAME}: {w}" for w in _told_at_once(seen[NO_NAME])]
        assert wrong == []
        assert far.heard == []
        assert far.snapshots() == [SNAPSHOT]
    for name, words in _WORDS.items():
        reason = seen[name]["reason"]
        assert any(word in reason.lower() for word in words), reason


def _complaints(outage: Outage, seen: Mapping[str, Any]) -> list[str]:
    found = {End.WHOLE: _whole, End.MISSED: _told_at_once, End.LATE: _late}[outage.end](seen)
    return [f"{outage.name}: {words}" for words in found]


def _whole(seen: Mapping[str, Any]) -> Iterator[str]:
    if (seen["state"], seen["virtual_machines"], seen["snapshots"]) != ("complete", 1, 1):
        yield f"not whole: {seen}"


def _missed(seen: Mapping[str, Any]) -> Iterator[str]:
    if seen["state"] not in ("missing", "partial"):
        yield f"it counts as seen: {seen}"
    elif not seen["reason"] or "Traceback" in seen["reason"] or "\n" in seen["reason"]:
        yield f"no reason in one line: {seen}"


def _told_at_once(seen: Mapping[str, Any]) -> Iterator[str]:
    yield from _missed(seen)
    if _OF_TIME.search(seen["reason"] or ""):
        yield f"it was waited for, and had broken: {seen}"
    if "password" in (seen["reason"] or ""):
        yield f"a wrong password is blamed for it: {seen}"


def _late(seen: Mapping[str, Any]) -> Iterator[str]:
    yield from _missed(seen)
    if not _OF_TIME.search(seen["reason"] or ""):
        yield f"its deadline is not the reason: {seen}"


def _audited(far: FarEnd, folder: Path, talk: Talk) -> Coverages:
    """How each endpoint was covered, all of them read at once by the program itself."""
    with ExitStack() as stack:
        entries = [
            far.entry(
                outage.name, stack.enter_context(_line(far, outage, talk)), more=_time(outage)
            )
            for outage in OUTAGES
        ]
        entries.append(far.entry(BLACK_HOLE, stack.enter_context(_black_hole()), more=_SHORT))
        entries.append(far.entry(NO_NAME, 9, host="nowhere.invalid", more=_LONG))
        write_config(folder, *entries)
        ran = snapaudit("audit", "-f", "json", "--no-record", "-q", cwd=folder, **far.environ)
    assert ran.code == 3, ran.err
    assert ran.has_no_traceback()
    return {one["endpoint"]: one for one in json.loads(ran.out)["coverage"]}


def _time(outage: Outage) -> str:
    """No more is waited for than has to be."""
    return _SHORT if outage.end is End.LATE else _LONG


@contextmanager
def _line(far: FarEnd, outage: Outage, talk: Talk) -> Iterator[int]:
    with Proxy(far.port, outage.line(talk)) as proxy:
        yield proxy.port


@contextmanager
def _black_hole() -> Iterator[int]:
    """A port that answers no knock: its queue is full, and nobody takes anything from it."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def _talk(far: FarEnd, folder: Path) -> Talk:
    """How much is said while nothing happens, and what part of it is the handshake."""
    with Proxy(far.port) as proxy:
        handshake = 0 if "tcp://" in far.entry("x", 1) else _handshake(proxy)
        write_config(folder, far.entry("calm", proxy.port))
        ran = _check(far, folder)
        assert ran.code in (0, 1, 2), ran.out + ran.err
        return Talk(handshake, max(proxy.answered))


def _handshake(proxy: Proxy) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", proxy.port)) as plain,
        context.wrap_socket(plain),
    ):
        return proxy.answered[0]


def _check(far: FarEnd, folder: Path) -> Ran:
    return snapaudit("check", cwd=folder, **far.environ)


def test_tst_09_a_check_through_a_line_that_breaks_is_unknown(tmp_path: Path) -> None:
    with far_end("xen", tmp_path) as far, Proxy(far.port, Line(reset_after=0)) as proxy:
        write_config(tmp_path, far.entry("pool", proxy.port, more=_LONG))
        ran = _check(far, tmp_path)
    assert ran.code == 3
    assert "pool" in ran.out
    assert MACHINE not in ran.out
