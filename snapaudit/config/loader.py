"""The configuration file, read as a whole: each section by the module that knows it."""

from __future__ import annotations

from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node, parse_yaml, read_yaml
from snapaudit.config.approvals import approvals
from snapaudit.config.check import check
from snapaudit.config.endpoints import OptionsOf, endpoints
from snapaudit.config.executor import executor
from snapaudit.config.exemptions import FILE_NAME, exemption_settings
from snapaudit.config.history import history
from snapaudit.config.limits import limits
from snapaudit.config.mail import mail
from snapaudit.config.owners import owners
from snapaudit.config.policy import environments, rules
from snapaudit.config.reports import reports
from snapaudit.config.settings import ExemptionSettings, Settings
from snapaudit.errors import InputError

VERSION = 1
KEYS = (
    *("version", "endpoints", "environments", "rules", "exemptions", "limits"),
    *("approvals", "check", "state", "reports", "history", "mail", "owners"),
    "executor",
)


def defaults(folder: Path) -> Settings:
    """The settings without any file: no endpoint, state and reports below the folder."""
    return Settings(
        exemptions=ExemptionSettings(file=folder / FILE_NAME),
        state=folder / ".snapaudit",
        reports=folder / "reports",
    )


def load(path: Path, *, options_of: OptionsOf) -> Settings:
    """The settings of a file; relative paths in it are taken from its folder.

    ``options_of`` maps each installed kind of hypervisor to the names of its own endpoint options.
    Raises InputError with line, column, what was expected and the nearest known word.
    """
    return _read(read_yaml(path), path, options_of)


def draft(text: str, path: Path, *, options_of: OptionsOf) -> Settings:
    """As `load`, of a text that is not written to that file yet."""
    return _read(parse_yaml(text, str(path)), path, options_of)


def _read(root: Node, path: Path, options_of: OptionsOf) -> Settings:
    _check_version(root)
    found = expect.mapping(root, KEYS)
    folder = path.absolute().parent
    standing = defaults(folder)
    shelf, keep = expect.optional(
        found, "reports", lambda at: reports(at, folder), (standing.reports, None)
    )
    return Settings(
        endpoints=expect.optional(
            found, "endpoints", lambda at: endpoints(at, folder, options_of), ()
        ),
        environments=expect.optional(found, "environments", environments, ()),
        rules=expect.optional(found, "rules", lambda at: rules(at, folder), standing.rules),
        exemptions=expect.optional(
            found, "exemptions", lambda at: exemption_settings(at, folder), standing.exemptions
        ),
        limits=expect.optional(found, "limits", limits, standing.limits),
        approvals=expect.optional(found, "approvals", lambda at: approvals(at, folder), None),
        check=expect.optional(found, "check", lambda at: check(at, folder), standing.check),
        state=expect.optional(found, "state", lambda at: expect.path(at, folder), standing.state),
        reports=shelf,
        keep_reports=keep,
        history=expect.optional(found, "history", lambda at: history(at, folder), standing.history),
        mail=expect.optional(found, "mail", lambda at: mail(at, folder), None),
        owners=expect.optional(found, "owners", owners, standing.owners),
        executor=expect.optional(
            found, "executor", lambda at: executor(at, folder), standing.executor
        ),
        source=path,
    )


def _check_version(root: Node) -> None:
    """First of all: a later version may have any other key."""
    found = expect.mapping(root)
    if "version" not in found:
        expect.mapping(root, KEYS, required=("version",))
    version = found["version"]
    if expect.integer(version) != VERSION:
        message = f"expected version {VERSION}, the one this program reads"
        raise InputError(version.place, f"{message}; found {version.value}")
