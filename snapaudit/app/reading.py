"""The unit of work of a collection: one endpoint in, one inventory out, whatever happens."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from snapaudit import registry
from snapaudit.app.worker import Failure, work_within
from snapaudit.config.secrets import Secret
from snapaudit.errors import SnapauditError
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Coverage, CoverageState, Inventory
from snapaudit.ports import Progress, Step
from snapaudit.redaction import hide, redacted


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What was fetched for one endpoint. It shows nothing of itself; pickled, it is clear text."""

    password: Secret | None = None


def collect(
    endpoint: Endpoint,
    secrets: Secrets,
    now: datetime,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Inventory:
    """The endpoint as it shows itself, read in a process that is ended at its deadline.

    Never raises for what the endpoint does: then the inventory is ``missing``, with the reason. The
    deadline runs from the start of the process. Picklable with its first three arguments, so that
    any executor can run it; files that the endpoint names are those of the machine it runs on.
    """

    def hear(news: object) -> None:
        if progress is not None and isinstance(news, Step):
            progress(news)

    work = partial(read_here, endpoint, secrets, now)
    try:
        answer = work_within(endpoint.deadline, work, hear, stop or threading.Event())
    except (OSError, EOFError) as error:  # EOFError: the server of processes has just ended
        answer = Failure(f"no process could be started to read it: {error}")
    match answer:
        case Inventory() if answer.endpoint == endpoint.name:
            return answer
        case Inventory():
            other = f"internal error: what was read calls itself {answer.endpoint!r}"
            return missing(endpoint, other, now)
        case Failure(reason):
            return missing(endpoint, reason, now)
        case _:
            return missing(endpoint, f"internal error: read {type(answer).__name__}", now)


def read_here(
    endpoint: Endpoint, secrets: Secrets, now: datetime, progress: Progress
) -> Inventory | Failure:
    """Read an endpoint in this process, for as long as it takes."""
    password = secrets.password.reveal() if secrets.password is not None else None
    hide(password)
    try:
        platform = registry.hypervisor(endpoint.kind)
        return platform.collect(endpoint, password, now, progress)
    except SnapauditError as error:
        return Failure(str(error))
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - one broken endpoint must not take the run with it
        return Failure(redacted(f"internal error: {type(error).__name__}: {error}"))


def missing(endpoint: Endpoint, reason: str, now: datetime) -> Inventory:
    """The inventory of an endpoint that could not be read."""
    prefix = f"{endpoint.name}: "
    return Inventory(
        endpoint=endpoint.name,
        hypervisor=endpoint.kind,
        collected_at=now,
        coverage=Coverage(state=CoverageState.MISSING, reason=reason.removeprefix(prefix)),
        lab=endpoint.lab,
    )
