"""Inventories from wherever they are asked for: endpoints, saved files, or the demo fleet."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from snapaudit import registry
from snapaudit.app.fleet import LocalReaders, Readers, read_fleet
from snapaudit.app.reading import Secrets
from snapaudit.codec.documents import read_inventories
from snapaudit.codec.expect import nearest
from snapaudit.config import discovery, loader
from snapaudit.config.environment import withdraw
from snapaudit.config.secrets import Secret
from snapaudit.config.settings import DaskExecutor, ProcessExecutor, Settings
from snapaudit.errors import UsageError
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.ports import Progress

# A configuration may name these whatever is installed: such an endpoint is missing, not an error
# that keeps the others from being read.
KINDS = ("hyperv", "libvirt", "vsphere", "xen")
SecretOf = Callable[[Endpoint], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to read. Saved inventories or the demo stand in for the configured endpoints."""

    config: Path | None = None
    environ: Mapping[str, str]
    folder: Path
    endpoints: tuple[str, ...] = ()
    inventories: tuple[Path, ...] = ()
    demo: bool = False


def settings_of(request: Request) -> Settings:
    """The configuration that is in force; the defaults when there is no file at all.

    Passwords in environment variables leave the environment here.
    """
    path = discovery.find(request.config, request.environ, request.folder)
    if path is None:
        return loader.defaults(request.folder)
    settings = loader.load(path, options_of=options_of_all_kinds())
    withdraw(settings, request.environ)
    return settings


def options_of_all_kinds() -> dict[str, frozenset[str]]:
    """The endpoint options of every kind, also of one that is not installed: it has none then."""
    known = dict.fromkeys((*KINDS, *registry.kinds()), frozenset[str]())
    return known | {kind: frozenset(one.options) for kind, one in registry.usable().items()}


def gather(
    request: Request,
    settings: Settings,
    *,
    now: datetime,
    secret_of: SecretOf,
    progress: Progress,
    stop: threading.Event | None = None,
) -> tuple[Inventory, ...]:
    """Read everything the request names, in a stable order.

    An endpoint that could not be read is an inventory too: empty, ``missing``, with the reason.
    Setting ``stop`` ends the reading at once; what was not read yet is missing then.
    """
    if request.inventories and request.demo:
        raise UsageError("--inventory and --demo cannot be combined")
    if request.inventories:
        return _chosen_inventories(request)
    if request.demo:
        return _demo(request, now, progress, stop)
    chosen = chosen_endpoints(request, settings)
    return collect(chosen, now, secret_of, progress, stop, settings.executor)


def _chosen_inventories(request: Request) -> tuple[Inventory, ...]:
    read = [item for path in request.inventories for item in read_inventories(path)]
    names = [item.endpoint for item in read]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the endpoint {name!r} stands in more than one inventory")
    refuse_unknown(request.endpoints, names)
    wanted = [item for item in read if is_wanted(item.endpoint, request.endpoints)]
    return tuple(sorted(wanted, key=lambda item: item.endpoint))


def chosen_endpoints(request: Request, settings: Settings) -> tuple[Endpoint, ...]:
    """The configured endpoints that the request names, or all. Raises UsageError for none."""
    if not settings.endpoints:
        how = (
            "write a snapaudit.yaml (`snapaudit init` makes one)"
            if settings.source is None
            else f"add one under `endpoints:` in {settings.source}"
        )
        raise UsageError(f"no endpoint is configured: {how}, or name --inventory FILE or --demo")
    refuse_unknown(request.endpoints, [endpoint.name for endpoint in settings.endpoints])
    return tuple(
        endpoint for endpoint in settings.endpoints if is_wanted(endpoint.name, request.endpoints)
    )


def is_wanted(name: str, wanted: Sequence[str]) -> bool:
    """Whether an endpoint is among those named, or fits a pattern as in a shell; none: all are."""
    return not wanted or any(name == one or fnmatchcase(name, one) for one in wanted)


def refuse_unknown(wanted: Iterable[str], names: Sequence[str]) -> None:
    """Raise UsageError for a name or pattern that fits no endpoint."""
    for name in wanted:
        if not any(is_wanted(one, (name,)) for one in names):
            near = nearest(name, names)
            hint = f"; did you mean {near!r}?" if near else ""
            raise UsageError(f"there is no endpoint {name!r}{hint}")


def _demo(
    request: Request, now: datetime, progress: Progress, stop: threading.Event | None
) -> tuple[Inventory, ...]:
    from snapaudit.demo.fleet import stage_all

    with tempfile.TemporaryDirectory(prefix="snapaudit-demo-") as folder:
        staged = stage_all(Path(folder), now)
        refuse_unknown(request.endpoints, [one.name for one in staged])
        wanted = [one for one in staged if is_wanted(one.name, request.endpoints)]
        return collect(wanted, now, lambda _: None, progress, stop)


def collect(
    endpoints: Sequence[Endpoint],
    now: datetime,
    secret_of: SecretOf,
    progress: Progress,
    stop: threading.Event | None = None,
    executor: ProcessExecutor | DaskExecutor | None = None,
) -> tuple[Inventory, ...]:
    """Read several endpoints side by side, each within its own deadline, until ``stop`` is set."""

    def secrets_of(endpoint: Endpoint) -> Secrets:
        password = secret_of(endpoint)
        return Secrets(password=Secret(password) if password is not None else None)

    stop = threading.Event() if stop is None else stop
    with readers(executor or ProcessExecutor(), endpoints, progress) as who:
        return read_fleet(endpoints, now, secrets_of, progress, stop, who)


@contextmanager
def readers(
    executor: ProcessExecutor | DaskExecutor, endpoints: Sequence[Endpoint], progress: Progress
) -> Iterator[Readers]:
    """Who reads these endpoints, by the configuration. Raises UsageError without the extra."""
    match executor:
        case ProcessExecutor():
            yield LocalReaders(executor, endpoints)
        case DaskExecutor():
            from snapaudit.app.cluster import cluster

            with cluster(executor, endpoints, progress) as readers:
                yield readers
