"""Passwords, fetched where the configuration says they are, when they are needed.

What was fetched stands in no message and no cause of one: text about a failure names the source.
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from snapaudit.config.environment import variable
from snapaudit.config.settings import ConfiguredSecret
from snapaudit.config.typed import TYPIST
from snapaudit.errors import InputError
from snapaudit.model.endpoint import SecretReference, SecretSource
from snapaudit.redaction import hide

COMMAND_SECONDS = 30
MAX_BYTES = 64 * 1024
_OPEN_TO_OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH


class Secret:
    """A password that shows itself only when asked to."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "***"

    def reveal(self) -> str:
        """The password itself."""
        return self._value


def fetch(reference: SecretReference, environ: Mapping[str, str]) -> Secret:
    """The password. Raises InputError with the place that names it and why it cannot be had.

    A command runs without a shell and has 30 s; its error output is not shown, as it may hold the
    password. One line end at the end of a file or an output is not part of the password.
    """
    value = _value(reference, environ)
    if not value:
        raise _fault(reference, "is empty")
    hide(value)
    return Secret(value)


def _value(reference: SecretReference, environ: Mapping[str, str]) -> str:
    match reference.source:
        case SecretSource.ENV:
            return _from_environment(reference, environ)
        case SecretSource.FILE:
            return _text(reference, _from_file(reference, reference.name, _OPEN_TO_OTHERS))
        case SecretSource.COMMAND:
            return _text(reference, _from_command(reference, environ))
        case SecretSource.KEYRING:
            return _from_keyring(reference)
        case SecretSource.CREDENTIAL:
            path = _credential(reference, environ)
            return _text(reference, _from_file(reference, path, _OPEN_TO_OTHERS & ~stat.S_IRGRP))
        case SecretSource.PROMPT:
            return _typed(reference)


def _fault(reference: SecretReference, reason: str) -> InputError:
    what = f"the password from {_described(reference)} {reason}"
    if isinstance(reference, ConfiguredSecret):
        return InputError(reference.place, what)
    return InputError("password", what)


def _described(reference: SecretReference) -> str:
    """The source in words; of a command its program alone, as arguments may hold a secret."""
    match reference.source:
        case SecretSource.ENV:
            return f"the environment variable {reference.name}"
        case SecretSource.FILE:
            return f"the file {reference.name}"
        case SecretSource.COMMAND:
            return f"the command {shlex.split(reference.name)[0]}"
        case SecretSource.KEYRING:
            return f"the keyring entry {reference.name}"
        case SecretSource.CREDENTIAL:
            return f"the credential {reference.name}"
        case SecretSource.PROMPT:
            return "the terminal"


def _typed(reference: SecretReference) -> str:
    """Asked for by its place in the file, where two endpoints may each have one."""
    place = str(reference.place) if isinstance(reference, ConfiguredSecret) else "password"
    typed = TYPIST.ask(place, f"Password of {reference.name} ({place}): ")
    if typed is None:
        raise _fault(reference, "cannot be had: nobody is there to type it; name env: or file:")
    return typed


def _from_environment(reference: SecretReference, environ: Mapping[str, str]) -> str:
    value = variable(reference.name, environ)
    if value is None:
        raise _fault(reference, "cannot be had: the variable is not set")
    return value


def _credential(reference: SecretReference, environ: Mapping[str, str]) -> str:
    """The file of a credential.

    systemd gives it to the unit's user by an access list, and then the mode shows it as readable by
    its group, root (systemd issue 29435): nobody else is in there.
    """
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        message = "cannot be had: this is no systemd unit with LoadCredential="
        raise _fault(reference, message)
    return str(Path(folder) / reference.name)


def _from_file(reference: SecretReference, path: str, forbidden: int) -> bytes:
    """Looks at the open file, so that what is checked is what is read."""
    try:
        # Not blocking: opening a pipe would wait for its writer before it can be refused.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            _check_mode(reference, os.fstat(handle).st_mode, forbidden)
            return os.read(handle, MAX_BYTES + 1)
        finally:
            os.close(handle)
    except OSError as error:
        raise _fault(reference, f"cannot be read: {error.strerror}") from error


def _check_mode(reference: SecretReference, mode: int, forbidden: int) -> None:
    if not stat.S_ISREG(mode):
        raise _fault(reference, "is refused: it is no regular file")
    if mode & forbidden:
        message = f"is refused: others can read or write it (mode {stat.S_IMODE(mode):04o})"
        raise _fault(reference, f"{message}; chmod 600 repairs that")


def _from_command(reference: SecretReference, environ: Mapping[str, str]) -> bytes:
    output = _output(reference, environ)
    if isinstance(output, str):
        raise _fault(reference, f"cannot be had: {output}")
    return output


def _output(reference: SecretReference, environ: Mapping[str, str]) -> bytes | str:
    """What the command wrote, or why it counts as failed.

    No error of ours is raised in here, because one of subprocess holds arguments and output.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, without a shell
            shlex.split(reference.name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS,
            env=environ,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it was still running after {COMMAND_SECONDS} s"
    except OSError as error:
        return f"it cannot be started: {error.strerror}"
    return f"it ended with exit code {done.returncode}" if done.returncode else done.stdout


def _text(reference: SecretReference, raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise _fault(reference, "is refused: it is longer than 64 KiB")
    text = _decoded(raw)
    if text is None:
        raise _fault(reference, "is refused: it is not UTF-8")
    return text.removesuffix("\n").removesuffix("\r")


def _decoded(raw: bytes) -> str | None:
    """None where it is not UTF-8: the codec's own error holds the bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _from_keyring(reference: SecretReference) -> str:
    service, _, name = reference.name.partition("/")
    try:
        keyring = import_module("keyring")
    except ImportError:
        message = "cannot be had: install the package 'keyring' beside snapaudit"
        raise _fault(reference, message) from None
    try:
        found: str | None = keyring.get_password(service, name)
    except keyring.errors.KeyringError as error:
        raise _fault(reference, f"cannot be had: {type(error).__name__}") from None
    if found is None:
        raise _fault(reference, "cannot be had: there is no such entry")
    return found
