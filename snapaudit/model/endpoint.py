"""An endpoint: where a hypervisor is, who asks, and how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class SecretSource(StrEnum):
    """Where a password comes from. It is never in the configuration itself."""

    ENV = "env"
    FILE = "file"
    COMMAND = "command"
    KEYRING = "keyring"
    CREDENTIAL = "credential"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReference:
    """A password's source and its name there: variable, path, command, entry or credential.

    Of one that is typed the name says whose it is.
    """

    source: SecretSource
    name: str

    @property
    def is_typed(self) -> bool:
        """Whether a person has to be there."""
        return self.source is SecretSource.PROMPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How the other side is recognised; without verification it may be audited, never changed."""

    ca_file: str | None = None
    fingerprint: str | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A name and where its password comes from."""

    username: str | None = None
    password: SecretReference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One hypervisor manager to read. ``options`` are those its platform declares.

    ``site``: where it can be reached from, when the endpoints are read by several machines.
    """

    name: str
    kind: str
    url: str
    account: Account = Account()
    enforce_as: Account | None = None
    tls: Tls = Tls()
    transport: str | None = None
    deadline: timedelta = timedelta(seconds=120)
    lab: bool = False
    site: str | None = None
    options: Mapping[str, str | bool] = field(default_factory=dict)
