"""Passwords in environment variables: taken out, so that no program started later inherits them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from snapaudit.config.settings import Settings
from snapaudit.model.endpoint import SecretReference, SecretSource
from snapaudit.redaction import hide

_TAKEN: dict[str, str] = {}


def withdraw(settings: Settings, environ: Mapping[str, str]) -> None:
    """Keep every password that this configuration has in the process's environment here instead.

    Worker processes, ssh, qemu-img and commands that print other passwords have no use for them.
    """
    if environ is not os.environ:
        return
    for reference in _references(settings):
        if reference.source is SecretSource.ENV and reference.name in os.environ:
            _TAKEN[reference.name] = value = os.environ.pop(reference.name)
            hide(value)


def variable(name: str, environ: Mapping[str, str]) -> str | None:
    """The value of a variable, wherever it is by now; None: it is not set."""
    if name in environ:
        return environ[name]
    return _TAKEN.get(name) if environ is os.environ else None


def _references(settings: Settings) -> Iterator[SecretReference]:
    accounts = [account for one in settings.endpoints for account in (one.account, one.enforce_as)]
    found = [account.password for account in accounts if account is not None]
    found += [settings.history.password, settings.mail.password if settings.mail else None]
    yield from (reference for reference in found if reference is not None)
