"""Faults S: a canary in every credential, looked for after every command, wherever it could be.

The pool, the Windows host and the mail server really take these passwords; one endpoint refuses
the one that it gets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import canaries
from tests.beds.mailserver import MailServer, mail_server
from tests.beds.wsman.accounts import ACCOUNTS
from tests.beds.wsman.server import Host
from tests.beds.xapi.office import User
from tests.beds.xapi.server import XapiBed
from tests.canaries.search import in_file
from tests.cli.running import snapaudit
from tests.hypervisors.hyperv.wires import small

[(WINDOWS_USER, _)] = ACCOUNTS.items()

COMMANDS = (
    ("doctor", "-v"),
    ("doctor", "-f", "json", "-o", "doctor.json"),
    ("collect", "-v", "-o", "seen.json"),
    ("audit", "-v", *(word for form in ("html", "json", "csv", "markdown", "xlsx")
                      for word in ("-o", f"{form}=audit.{form}"))),
    ("check", "-v", *(word for form in (
        "text", "nagios", "checkmk", "json", "junit", "sarif", "gitlab", "github", "prometheus",
        "openmetrics", "tap") for word in ("-o", f"{form}=check.{form}"))),
    ("enforce", "-v", "-f", "json"),
    ("enforce", "--apply", "--yes", "-v"),
    ("diff", "-f", "json"), ("forecast", "-f", "json"), ("history", "list"), ("history", "check"),
    ("report", "--publish"), ("report", "--mail"),
    ("explain", "stale-snapshot"), ("rules", "list"), ("exempt", "list"), ("hold", "list"),
    ("journal", "list"), ("journal", "verify"),
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    folder: Path
    environ: dict[str, str]
    mail: MailServer

    def run(self, *words: str) -> int:
        """Its exit code. What it says is searched as of every program that a test starts."""
        ran = snapaudit(*words, cwd=self.folder, **self.environ)
        assert ran.has_no_traceback(), ran.err
        return ran.code

    def files(self) -> Iterator[Path]:
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and "given" not in path.parts:
                yield path


def given(folder: Path, name: str, value: str) -> Path:
    path = folder / "given" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(value, encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def site(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    pytest.importorskip("libvirt")
    with (
        XapiBed(tmp_path_factory.mktemp("xapi")) as pool,
        Host(small) as windows,
        mail_server(login=True) as mail,
    ):
        pool.world.snapshot(pool.world.vm("web"), "before the update")
        pool.office.users |= {
            "audit": User(canaries.POOL_READER, "read-only"),
            "clean": User(canaries.POOL_CLEANER, "vm-admin"),
        }
        file = given(tmp_path, "pool", canaries.POOL_READER)
        clean = given(tmp_path, "clean", canaries.POOL_CLEANER)
        command = given(tmp_path, "windows", canaries.WINDOWS)
        given(tmp_path, "smtp", canaries.SMTP)
        text = f"""\
version: 1
endpoints:
  - {{name: kvm, kind: libvirt, url: "test:///default", username: a, password: {{env: KVM}}}}
  - name: pool
    kind: xen
    url: {pool.url}
    username: audit
    password: {{file: {file}}}
    enforce_as: {{username: clean, password: {{file: {clean}}}}}
    tls: {{ca_file: {pool.ca_file}}}
  - {{name: hv, kind: hyperv, url: "{windows.url}", username: '{WINDOWS_USER}',
     password: {{command: "cat {command}"}}, transport: ntlm}}
  - {{name: refused, kind: xen, url: "{pool.url}", username: audit, password: {{env: REFUSED}},
     tls: {{ca_file: {pool.ca_file}}}}}
mail:
  smtp: smtp://127.0.0.1:{mail.port}
  from: snapaudit@example.org
  to: [team@example.org]
  password: {{credential: smtp}}
"""
        (tmp_path / "snapaudit.yaml").write_text(text, encoding="utf-8")
        environ = {"KVM": canaries.LIBVIRT, "REFUSED": canaries.REFUSED}
        environ |= {"CREDENTIALS_DIRECTORY": str(tmp_path / "given")}
        yield Site(tmp_path, environ, mail)


def test_s1_s3_tst_13_no_command_leaves_a_credential_anywhere(site: Site) -> None:
    codes = {}
    for words in COMMANDS:
        codes[words] = site.run(*words)
    assert [found for path in site.files() for found in in_file(path)] == []
    # That it looked where there was something to see:
    assert codes[("journal", "verify")] == 0
    assert site.mail.kept
    doctor = (site.folder / "doctor.json").read_text()
    assert doctor.count("is logged in") == 3
    names = {path.relative_to(site.folder).parts[0] for path in site.files()}
    assert {"audit.html", "audit.xlsx", "seen.json", "reports", ".snapaudit"} <= names
