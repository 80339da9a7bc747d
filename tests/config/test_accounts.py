from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.config.settings import ConfiguredSecret
from snapaudit.errors import InputError
from snapaudit.model.endpoint import SecretReference, Tls
from tests.config.written import endpoint_fault, settings

_HEX = "ab" * 32
_EXACTLY = "expected exactly one of {env: VARIABLE}, {file: PATH}, "


def _password(folder: Path, written: str) -> SecretReference:
    text = f"{{name: a, kind: xen, url: 'https://x', username: u, password: {written}}}"
    found = settings(folder, f"version: 1\nendpoints: [{text}]\n").endpoints[0].account.password
    assert isinstance(found, ConfiguredSecret)
    return found


def _tls(folder: Path, written: str) -> Tls:
    text = f"{{name: a, kind: xen, url: 'https://x', tls: {written}}}"
    return settings(folder, f"version: 1\nendpoints: [{text}]\n").endpoints[0].tls


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("{env: XCP_PASSWORD}", "XCP_PASSWORD"),
        ("{file: /run/secrets/xcp1}", "/run/secrets/xcp1"),
        ("{keyring: snapaudit/hv1}", "snapaudit/hv1"),
        ("{credential: smtp-password}", "smtp-password"),
        ("{command: pass show 'my site/xcp 1'}", "pass show 'my site/xcp 1'"),
    ],
)
def test_each_source_keeps_its_name(tmp_path: Path, written: str, name: str) -> None:
    assert _password(tmp_path, written).name == name


def test_relative_secret_file_starts_at_the_folder_of_the_configuration(tmp_path: Path) -> None:
    assert _password(tmp_path, "{file: xcp1.secret}").name == str(tmp_path / "xcp1.secret")


def test_program_with_a_relative_path_starts_there_too(tmp_path: Path) -> None:
    name = _password(tmp_path, "{command: bin/secret xcp1}").name
    assert name == f"{tmp_path}/bin/secret xcp1"


@pytest.mark.parametrize("written", ["▶hunter2", "▶'hunter2'", "▶123456", "▶[hunter2]", "▶true"])
def test_password_in_plain_text_is_refused_and_not_repeated(tmp_path: Path, written: str) -> None:
    said = endpoint_fault(tmp_path, f"password: {written}")
    assert said.startswith("a password never stands in the configuration; expected exactly one of")
    assert "hunter2" not in said
    assert "123456" not in said


def test_rest_of_a_password_after_a_comma_is_not_repeated(tmp_path: Path) -> None:
    said = endpoint_fault(tmp_path, "password: a,▶hunter2")
    assert said.startswith("unknown key; known here: ")


def test_misspelt_source_names_the_nearest_and_not_what_was_written(tmp_path: Path) -> None:
    said = endpoint_fault(tmp_path, "password: {▶evn: SECRET}")
    assert said.startswith(_EXACTLY)
    assert said.endswith("(did you mean 'env'?)")
    assert "evn" not in said


@pytest.mark.parametrize("written", ["▶{}", "▶{env: A, file: b}"])
def test_exactly_one_source_is_needed(tmp_path: Path, written: str) -> None:
    assert endpoint_fault(tmp_path, f"password: {written}").startswith(_EXACTLY)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{env: ▶1234}", "expected text after env:"),
        ("{env: ▶[hunter2]}", "expected text after env:"),
        ("{env: ▶hunter-2}", "expected the name of an environment variable"),
        ("{credential: ▶../hunter2}", "expected the name that LoadCredential= gives it"),
        ("{credential: ▶..}", "expected the name that LoadCredential= gives it"),
        ("{keyring: ▶hunter2}", "expected SERVICE/NAME, like snapaudit/hv1"),
        ("{keyring: ▶hunter2/}", "expected SERVICE/NAME, like snapaudit/hv1"),
        ('{command: ▶"hunter \'2"}', "expected a program with its arguments, quotes closed"),
        ("{command: ▶\"''\"}", "expected a program with its arguments, quotes closed"),
        ('{file: ▶"hunter\\n2"}', "expected one line of text"),
    ],
)
def test_source_without_a_fitting_name_is_refused(tmp_path: Path, written: str, said: str) -> None:
    message = endpoint_fault(tmp_path, f"password: {written}")
    assert message.startswith(said)
    assert "hunter" not in message
    assert "1234" not in message


@pytest.mark.parametrize(
    "url",
    [
        "https://audit:hunter2@vc",
        "qemu+ssh://audit:hunter2@kvm1/system",
        "https://:hunter2@vc",
        "https://audit:/hunter2@vc",
        "https://audit:1?hunter2@vc",
    ],
)
def test_url_with_a_password_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="the URL holds a password") as caught:
        settings(tmp_path, f"version: 1\nendpoints: [{{name: a, kind: xen, url: '{url}'}}]\n")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["vcenter.example.org", "kvm1:16509", "https://[::1", "https://vc:99999", "https://vc:0"]
)
def test_url_has_to_be_one(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="expected a URL with its scheme"):
        settings(tmp_path, f"version: 1\nendpoints: [{{name: a, kind: xen, url: '{url}'}}]\n")


@pytest.mark.parametrize(
    "written", [f"sha256:{_HEX}", f"SHA256:{_HEX.upper()}", "sha256:" + ":".join(["AB"] * 32)]
)
def test_fingerprint_has_one_form_however_it_is_written(tmp_path: Path, written: str) -> None:
    assert _tls(tmp_path, f"{{fingerprint: '{written}'}}") == Tls(fingerprint=f"sha256:{_HEX}")


@pytest.mark.parametrize("written", ["sha1:abcd", _HEX, f"sha256:{_HEX[2:]}", f"sha256:{_HEX}ab"])
def test_other_fingerprints_are_refused(tmp_path: Path, written: str) -> None:
    said = endpoint_fault(tmp_path, f"tls: {{fingerprint: ▶'{written}'}}")
    assert said.startswith("expected sha256: and the 64 hexadecimal digits")


def test_unverified_tls_is_written_out(tmp_path: Path) -> None:
    assert _tls(tmp_path, "{verify: false}") == Tls(verify=False)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (f"▶{{ca_file: a.pem, fingerprint: 'sha256:{_HEX}'}}", "ca_file and fingerprint exclude"),
        ("▶{ca_file: a.pem, verify: false}", "ca_file and verify: false exclude each other"),
        ("{verify: ▶no}", "expected true or false, found 'no'"),
        ("{▶ca: a.pem}", "unknown key 'ca'; known here: ca_file, fingerprint, verify"),
    ],
)
def test_tls_that_contradicts_itself_is_refused(tmp_path: Path, written: str, said: str) -> None:
    assert endpoint_fault(tmp_path, f"tls: {written}").startswith(said)
