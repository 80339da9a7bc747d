"""``snapaudit init``: by options without a word, and by questions on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snapaudit.app.drafting import drafted
from snapaudit.app.local import local_endpoints
from snapaudit.config.settings import Settings
from snapaudit.model.endpoint import SecretSource
from tests.beds.xapi.office import User
from tests.beds.xapi.server import XapiBed
from tests.canaries import POOL_READER
from tests.cli.running import snapaudit
from tests.cli.terminal import Terminal, terminal

XEN = ("--kind", "xen", "--url", "https://xcp1.example.org")


def written(folder: Path) -> Settings:
    path = folder / "snapaudit.yaml"
    return drafted(path.read_text(encoding="utf-8"), path)


def begun(seen: Terminal) -> None:
    """Leave out what is on this very machine, if there is something."""
    for one in local_endpoints({}):
        seen.answer(f"Audit {one.url} on this machine? (yes/no) [yes]", "no")


@pytest.fixture
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XapiBed]:
    with XapiBed(tmp_path_factory.mktemp("xapi")) as bed:
        bed.office.users |= {"audit": User(POOL_READER, "read-only")}
        yield bed


def test_options_name_an_endpoint_and_nothing_is_asked(tmp_path: Path) -> None:
    words = ("--username", "audit", "--password-file", "xcp.secret", "--ca-file", "ca.pem")
    ran = snapaudit("init", *XEN, *words, cwd=tmp_path)
    assert (ran.code, ran.out) == (0, "")
    [one] = written(tmp_path).endpoints
    assert (one.name, one.kind, one.url) == ("xen", "xen", "https://xcp1.example.org")
    assert one.account.username == "audit"
    assert one.account.password is not None
    assert one.account.password.name == str(tmp_path / "xcp.secret")
    assert one.tls.ca_file == str(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("option", "value", "source"),
    [
        ("--password-env", "XCP1", SecretSource.ENV),
        ("--password-command", "pass show 'x y'", SecretSource.COMMAND),
        ("--password-keyring", "snapaudit/xcp1", SecretSource.KEYRING),
        ("--password-credential", "xcp1", SecretSource.CREDENTIAL),
        ("--password-prompt", None, SecretSource.PROMPT),
    ],
)
def test_every_source_of_a_password_can_be_named(
    tmp_path: Path, option: str, value: str | None, source: SecretSource
) -> None:
    words = (option,) if value is None else (option, value)
    assert snapaudit("init", *XEN, *words, cwd=tmp_path).code == 0
    [one] = written(tmp_path).endpoints
    assert one.account.password is not None
    assert one.account.password.source is source


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--kind", "xen"), "--url"),
        (("--url", "https://x"), "--kind"),
        (("--username", "a"), "--kind and --url"),
        (("--kind", "zen", "--url", "https://x"), "did you mean 'xen'?"),
        (("--kind", "xen", "--url", "ftp://x"), "ftp://x"),
        (("--kind", "xen", "--url", "https://a:b@x"), "leave it out"),
        ((*XEN, "--password-env", "A", "--password-file", "b"), "exclude each other"),
        ((*XEN, "--password-env", "not a name"), "environment variable"),
        ((*XEN, "--fingerprint", "sha1:00"), "sha256"),
        ((*XEN, "--fingerprint", "sha256:00", "--ca-file", "c"), "exclude each other"),
    ],
)
def test_options_that_make_no_configuration_write_nothing(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    ran = snapaudit("init", *words, cwd=tmp_path)
    assert ran.code == 2
    assert said in ran.err
    assert "options" not in ran.err
    assert ran.has_no_traceback()
    assert not (tmp_path / "snapaudit.yaml").exists()


def test_what_is_answered_is_tried_at_once_and_a_certificate_pinned_when_vouched_for(
    tmp_path: Path, bed: XapiBed
) -> None:
    with terminal("init", cwd=tmp_path) as seen:
        begun(seen)
        seen.answer("Kind", "zen")
        seen.answer("did you mean xen?", "xen")
        seen.answer("Address, like https://xcp1", bed.url)
        seen.answer("Name [localhost]", "pool1")
        seen.answer("Account that reads", "audit")
        seen.answer("Where its password is", "prompt")
        seen.answer("Password of audit at pool1", POOL_READER)
        seen.answer("shall it be pinned? (yes/no) [no]", "yes")
        seen.wait_for("1 endpoint examined, 1 well")
        seen.answer("Kind", "")
        said = seen.rest()
    assert seen.code == 0, said
    assert POOL_READER not in said
    assert said.count("Password of audit") == 1
    assert "audit is logged in" in said
    [one] = written(tmp_path).endpoints
    assert one.name == "pool1"
    assert one.tls.fingerprint is not None
    assert one.tls.fingerprint in said
    assert POOL_READER not in (tmp_path / "snapaudit.yaml").read_text()


def test_an_answer_that_fits_nowhere_is_asked_for_again_or_left(tmp_path: Path) -> None:
    with terminal("init", cwd=tmp_path) as seen:
        begun(seen)
        seen.answer("Kind", "libvirt")
        seen.answer("Address", "nonsense")
        seen.answer("Name", "")
        seen.wait_for("expected a URL")
        seen.answer("Try again?", "no")
        seen.answer("Kind", "libvirt")
        seen.answer("Address", "test:///default")
        seen.answer("Name [libvirt]", "")
        seen.wait_for("libvirt (libvirt)  well")
        seen.answer("Kind", "")
        said = seen.rest()
    assert seen.code == 0, said
    assert [one.url for one in written(tmp_path).endpoints] == ["test:///default"]


def test_end_of_input_writes_nothing(tmp_path: Path) -> None:
    with terminal("init", cwd=tmp_path) as seen:
        begun(seen)
        seen.wait_for("no more): ")
        seen.type("\x04")
        seen.rest()
    assert seen.code == 130
    assert not (tmp_path / "snapaudit.yaml").exists()
