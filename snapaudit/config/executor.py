"""Executor: who reads the endpoints, processes of this machine or the workers of a Dask cluster."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.config.accounts import url
from snapaudit.config.settings import DaskExecutor, ProcessExecutor
from snapaudit.errors import InputError

PROCESS_KEYS = ("kind", "workers")
TLS_KEYS = ("tls_ca_file", "tls_client_cert", "tls_client_key")
DASK_KEYS = ("kind", "scheduler", *TLS_KEYS)
MOST_WORKERS = 256
_EXAMPLE = "an address of a Dask scheduler, like tls://dask.example.org:8786"


class ExecutorKind(StrEnum):
    """The word after ``kind:``."""

    PROCESSES = "processes"
    DASK = "dask"


def executor(node: Node, folder: Path) -> ProcessExecutor | DaskExecutor:
    """The executor section."""
    found = expect.mapping(node, {*PROCESS_KEYS, *DASK_KEYS}, required=("kind",))
    match expect.word(found["kind"], ExecutorKind):
        case ExecutorKind.PROCESSES:
            found = expect.mapping(node, PROCESS_KEYS)
            return ProcessExecutor(workers=expect.optional(found, "workers", _workers, None))
        case ExecutorKind.DASK:
            return _dask(node, folder)


def _workers(node: Node) -> int:
    workers = expect.integer(node)
    if not 1 <= workers <= MOST_WORKERS:
        raise expect.wrong(node, f"1 to {MOST_WORKERS} processes")
    return workers


def _dask(node: Node, folder: Path) -> DaskExecutor:
    found = expect.mapping(node, DASK_KEYS, required=("scheduler",))
    files = {key: str(expect.path(found[key], folder)) for key in TLS_KEYS if key in found}
    return DaskExecutor(scheduler=_scheduler(found["scheduler"], found), **files)


def _scheduler(node: Node, found: dict[str, Node]) -> str:
    address = url(node)
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not (parts.hostname and parts.port):
        raise InputError(node.place, f"expected {_EXAMPLE}")
    given = [found[key] for key in TLS_KEYS if key in found]
    if parts.scheme == "tls" and len(given) != len(TLS_KEYS):
        raise InputError(node.place, f"tls:// needs all of {', '.join(TLS_KEYS)}")
    if parts.scheme == "tcp" and given:
        raise InputError(given[0].key_place, "of use only with a scheduler under tls://")
    if parts.scheme == "tcp" and not _is_loopback(parts.hostname or ""):
        message = (
            "passwords would go over the network in the clear, and anybody could send the workers "
            "programs to run; write tls:// (tcp:// is for this very machine)"
        )
        raise InputError(node.place, message)
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
