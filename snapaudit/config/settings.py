"""Settings: what ``snapaudit.yaml`` says, checked, with the defaults for what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from snapaudit.codec.yaml import Node
from snapaudit.errors import Place
from snapaudit.model.approvals import Approvals
from snapaudit.model.budget import CheckSettings
from snapaudit.model.endpoint import Endpoint, SecretReference, Tls
from snapaudit.model.exemption import LONGEST_LIFE
from snapaudit.model.history import Keeping
from snapaudit.model.limits import Limits
from snapaudit.model.owner import OWNER_MARKS, OwnerMark
from snapaudit.model.policy import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredSecret(SecretReference):
    """A password's source with its place in the file, for the message when it cannot be had."""

    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """What the site changes about the rules.

    ``disable`` maps each rule that is off to the place that says so. ``levels`` maps rule,
    environment and grade to the new bound as it is written: only the rule knows its kind.
    """

    folders: tuple[Path, ...] = ()
    disable: Mapping[str, Place] = field(default_factory=dict)
    levels: Mapping[str, Mapping[str, Mapping[str, Node]]] = field(default_factory=dict)


class WhenClean(StrEnum):
    """What becomes of a mail that would have nothing to tell."""

    SEND = "send"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionSettings:
    """Where exemptions stand (None: nowhere), and what the site allows.

    ``must_exist``: the configuration names the file. ``honour_expiry``: how long from its creation
    a last day that stands in a snapshot's text is honoured; None: not at all.
    """

    file: Path | None = None
    must_exist: bool = False
    max_life: timedelta = LONGEST_LIFE
    require_ticket: bool = False
    honour_expiry: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """The mail server, and who gets what.

    ``username`` None: nobody logs in. ``starttls`` False: ``smtp://`` stays in the clear.
    ``owners`` maps names of owners, as ``owner_key`` folds them, to addresses. An owner who is
    named by an address is mailed there only when it lies in one of the ``owner_domains``.
    """

    smtp: str
    sender: str
    to: tuple[str, ...]
    username: str | None = None
    password: SecretReference | None = None
    tls: Tls = field(default_factory=Tls)
    starttls: bool = True
    per_owner: bool = False
    owners: Mapping[str, str] = field(default_factory=dict)
    owner_domains: tuple[str, ...] = ()
    when_clean: WhenClean = WhenClean.SEND
    attach: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessExecutor:
    """Endpoints are read by processes of this machine; ``workers`` None: as many as it can bear."""

    workers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskExecutor:
    """Endpoints are read by the workers of a Dask cluster; paths for TLS are absolute."""

    scheduler: str
    tls_ca_file: str | None = None
    tls_client_cert: str | None = None
    tls_client_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One configuration. ``source`` is its file, None for the defaults.

    ``keep_reports``: so many published reports stay; None: all of them.
    """

    version: int = 1
    endpoints: tuple[Endpoint, ...] = ()
    environments: tuple[Environment, ...] = ()
    rules: RuleSettings = RuleSettings()
    exemptions: ExemptionSettings = ExemptionSettings()
    limits: Limits = field(default_factory=Limits)
    approvals: Approvals | None = None
    check: CheckSettings = field(default_factory=CheckSettings)
    state: Path
    reports: Path
    keep_reports: int | None = None
    history: Keeping = field(default_factory=Keeping)
    mail: Mail | None = None
    owners: tuple[OwnerMark, ...] = OWNER_MARKS
    executor: ProcessExecutor | DaskExecutor = ProcessExecutor()
    source: Path | None = None
