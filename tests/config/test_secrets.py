from __future__ import annotations

import os
import shlex
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from snapaudit.config import secrets
from snapaudit.config.secrets import Secret, fetch
from snapaudit.config.settings import ConfiguredSecret
from snapaudit.errors import InputError, Place
from snapaudit.model.endpoint import SecretReference, SecretSource
from tests.canaries import FETCHED


def _reference(source: SecretSource, name: str) -> SecretReference:
    return ConfiguredSecret(source=source, name=name, place=Place("snapaudit.yaml", 7, 15))


def _fault(source: SecretSource, name: str, environ: dict[str, str] | None = None) -> str:
    """The message; nothing that a traceback shows, causes and all, may hold the canary."""
    with pytest.raises(InputError) as caught:
        fetch(_reference(source, name), environ or {})
    assert FETCHED not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def _file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "given" / "secret"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def _python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def test_secret_shows_itself_only_when_asked() -> None:
    secret = Secret(FETCHED)
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"
    assert secret.reveal() == FETCHED


def test_variable_is_read() -> None:
    found = fetch(_reference(SecretSource.ENV, "XCP"), {"XCP": f"{FETCHED} "})
    assert found.reveal() == f"{FETCHED} "


def test_missing_variable_is_named_with_the_place_in_the_configuration() -> None:
    assert _fault(SecretSource.ENV, "XCP") == (
        "snapaudit.yaml:7:15: the password from the environment variable XCP cannot be had: "
        "the variable is not set"
    )


def test_reference_from_elsewhere_needs_no_place() -> None:
    with pytest.raises(InputError, match=r"^password: .* variable XCP"):
        fetch(SecretReference(source=SecretSource.ENV, name="XCP"), {})


def test_empty_secret_is_none_at_all(tmp_path: Path) -> None:
    assert _fault(SecretSource.ENV, "XCP", {"XCP": ""}).endswith("is empty")
    assert _fault(SecretSource.FILE, str(_file(tmp_path, b"\n"))).endswith("is empty")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_one_line_end_of_a_file_is_not_part_of_the_password(tmp_path: Path, end: bytes) -> None:
    path = _file(tmp_path, FETCHED.encode() + end)
    assert fetch(_reference(SecretSource.FILE, str(path)), {}).reveal() == FETCHED


def test_other_space_belongs_to_the_password(tmp_path: Path) -> None:
    path = _file(tmp_path, " ä \n\n".encode())
    assert fetch(_reference(SecretSource.FILE, str(path)), {}).reveal() == " ä \n"


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700, 0o611])
def test_file_of_its_owner_alone_is_accepted(tmp_path: Path, mode: int) -> None:
    path = _file(tmp_path, FETCHED.encode(), mode)
    assert fetch(_reference(SecretSource.FILE, str(path)), {}).reveal() == FETCHED


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o444, 0o777])
def test_file_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = _file(tmp_path, FETCHED.encode(), mode)
    said = _fault(SecretSource.FILE, str(path))
    assert f"the file {path} is refused: others can read or write it (mode {mode:04o})" in said


def test_link_is_followed_and_its_target_checked(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(_file(tmp_path, FETCHED.encode()))
    assert fetch(_reference(SecretSource.FILE, str(link)), {}).reveal() == FETCHED
    _file(tmp_path, FETCHED.encode(), 0o644)
    assert "is refused" in _fault(SecretSource.FILE, str(link))


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize("make", [_folder, _pipe])
def test_what_is_no_regular_file_is_refused_without_waiting(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "odd")
    assert "it is no regular file" in _fault(SecretSource.FILE, str(tmp_path / "odd"))


def test_missing_file_is_told(tmp_path: Path) -> None:
    said = _fault(SecretSource.FILE, str(tmp_path / "gone"))
    assert said.endswith("gone cannot be read: No such file or directory")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (FETCHED.encode() + b"\xff", "it is not UTF-8"),
        (FETCHED.encode() * 10_000, "it is longer than 64 KiB"),
    ],
)
def test_file_that_holds_no_password_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in _fault(SecretSource.FILE, str(_file(tmp_path, content)))


def test_command_gives_what_it_prints_and_sees_the_environment() -> None:
    command = _python("import os; print(os.environ['KEY'])")
    assert fetch(_reference(SecretSource.COMMAND, command), {"KEY": FETCHED}).reveal() == FETCHED


def test_command_is_run_without_a_shell() -> None:
    reference = _reference(SecretSource.COMMAND, "echo $HOME ; echo 'a  b' > out")
    path = {"PATH": os.environ["PATH"]}
    assert fetch(reference, path).reveal() == "$HOME ; echo a  b > out"


def test_failing_command_is_told_by_its_program_and_exit_code_alone(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = f"import sys; print('{FETCHED}'); sys.stderr.write('{FETCHED}'); sys.exit(3)"
    said = _fault(SecretSource.COMMAND, _python(code))
    assert said.endswith(
        f"the password from the command {sys.executable} cannot be had: it ended with exit code 3"
    )
    assert capfd.readouterr() == ("", "")


def test_command_gets_no_input() -> None:
    command = _python("import sys; print(repr(sys.stdin.read()))")
    assert fetch(_reference(SecretSource.COMMAND, command), {}).reveal() == "''"


def test_missing_program_is_told() -> None:
    said = _fault(SecretSource.COMMAND, f"/nowhere/secret --token {FETCHED}")
    assert said.endswith(
        "command /nowhere/secret cannot be had: it cannot be started: No such file or directory"
    )


def test_command_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_SECONDS", 1)
    started = time.monotonic()
    code = f"import time; print('{FETCHED}', flush=True); time.sleep(60)"
    assert "still running after 1 s" in _fault(SecretSource.COMMAND, _python(code))
    assert time.monotonic() - started < 20


class _KeyringError(Exception):
    pass


def _keyring(
    monkeypatch: pytest.MonkeyPatch, get_password: Callable[[str, str], str | None]
) -> None:
    errors = SimpleNamespace(KeyringError=_KeyringError)
    monkeypatch.setitem(
        sys.modules, "keyring", SimpleNamespace(get_password=get_password, errors=errors)
    )


def test_keyring_is_asked_by_service_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {("snapaudit", "site/hv1"): FETCHED}
    _keyring(monkeypatch, lambda service, name: entries.get((service, name)))
    assert fetch(_reference(SecretSource.KEYRING, "snapaudit/site/hv1"), {}).reveal() == FETCHED
    assert _fault(SecretSource.KEYRING, "snapaudit/hv2").endswith("there is no such entry")


def test_locked_keyring_is_told_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(service: str, name: str) -> str:
        raise _KeyringError(FETCHED)

    _keyring(monkeypatch, locked)
    assert _fault(SecretSource.KEYRING, "snapaudit/hv1").endswith("cannot be had: _KeyringError")


def test_missing_keyring_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    said = _fault(SecretSource.KEYRING, "snapaudit/hv1")
    assert said.endswith("cannot be had: install the package 'keyring' beside snapaudit")


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600])
def test_a_credential_of_the_systemd_unit_is_read(tmp_path: Path, mode: int) -> None:
    _file(tmp_path, f"{FETCHED}\n".encode(), mode)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "given")}
    found = fetch(_reference(SecretSource.CREDENTIAL, "secret"), environ)
    assert found.reveal() == FETCHED


@pytest.mark.parametrize("mode", [0o444, 0o460, 0o602])
def test_a_credential_that_anybody_could_read_or_change_is_refused(
    tmp_path: Path, mode: int
) -> None:
    _file(tmp_path, FETCHED.encode(), mode)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "given")}
    assert "is refused: others can" in _fault(SecretSource.CREDENTIAL, "secret", environ)


def test_a_credential_outside_a_unit_says_where_it_would_come_from(tmp_path: Path) -> None:
    message = _fault(SecretSource.CREDENTIAL, "smtp")
    assert "the credential smtp cannot be had: this is no systemd unit" in message
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "given")}
    assert "No such file" in _fault(SecretSource.CREDENTIAL, "smtp", environ)
