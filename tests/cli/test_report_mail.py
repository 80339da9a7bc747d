"""``report --mail``, ``--preview`` and ``--publish``, as a user or a timer runs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest

from snapaudit.codec.documents import inventories_document
from snapaudit.model.inventory import Inventory
from tests.beds.mailserver import MailServer, breaking, mail_server
from tests.builders import inventory, snapshot, vm
from tests.canaries import SMTP
from tests.cli.running import Ran, snapaudit

RECENT = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
LONG_AGO = RECENT - timedelta(days=9)


def estate(at: datetime, name: str = "old") -> Inventory:
    machine = vm("web01", snapshot(name, created_at=at - timedelta(days=60)), notes="Owner: Alice")
    return inventory(machine, collected_at=at)


def recorded(folder: Path, at: datetime = RECENT) -> None:
    """A run in the history of the folder."""
    (folder / "inventory.json").write_bytes(inventories_document((estate(at),), compress=False))
    as_of = ("--now", at.isoformat())
    ran = snapaudit("audit", "--inventory", "inventory.json", "-q", *as_of, cwd=folder)
    assert ran.code == 0, ran.err


def configured(folder: Path, port: int, *more: str) -> None:
    lines = (
        f"  smtp: smtp://127.0.0.1:{port}",
        "  from: snapaudit@example.org",
        "  to: [team@example.org]",
        *(f"  {line}" for line in more),
    )
    text = "version: 1\nendpoints: []\nmail:\n" + "".join(f"{line}\n" for line in lines)
    (folder / "snapaudit.yaml").write_text(text)


def mailed(folder: Path, *options: str, **environ: str) -> Ran:
    ran = snapaudit("report", "--mail", *options, cwd=folder, **environ)
    assert ran.has_no_traceback()
    assert SMTP not in ran.out + ran.err
    return ran


def arrived(server: MailServer) -> list[EmailMessage]:
    parser = BytesParser(policy=policy.default)
    return [parser.parsebytes(one.body) for one in server.kept]


def test_team_and_owner_get_their_mail_and_a_second_run_sends_none(tmp_path: Path) -> None:
    recorded(tmp_path)
    with mail_server() as server:
        configured(tmp_path, server.port, "per_owner: true", "owners: {alice: alice@example.org}")
        first, second = mailed(tmp_path), mailed(tmp_path)
    assert (first.code, first.out) == (0, "")
    assert first.err.splitlines() == [
        "mailed to team@example.org",
        "mailed to alice@example.org (the part of alice)",
    ]
    assert [one["To"] for one in arrived(server)] == ["team@example.org", "alice@example.org"]
    assert second.code == 0
    assert "has this report already; --again sends it anew" in second.err


def test_one_refused_recipient_is_told_and_the_command_fails(tmp_path: Path) -> None:
    recorded(tmp_path)
    with mail_server(refuse={"gone@b": "550 no such user"}) as server:
        configured(tmp_path, server.port)
        ran = mailed(tmp_path, "--to", "a@b", "--to", "gone@b")
    assert ran.code == 1
    assert "mailed to a@b" in ran.err
    assert f"not mailed to gone@b: mail server 127.0.0.1:{server.port}: refused: 550" in ran.err


def test_a_server_that_is_down_costs_no_published_report(tmp_path: Path) -> None:
    recorded(tmp_path)
    with breaking(lambda _: None) as port:
        configured(tmp_path, port)
        ran = mailed(tmp_path, "--publish")
    assert ran.code == 1
    assert "closed the connection" in ran.err
    assert (tmp_path / "reports" / f"{RECENT:%Y-%m-%d}" / "report.html").exists()
    assert f"{RECENT:%Y-%m-%d}/report.html" in (tmp_path / "reports/index.html").read_text()


def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    recorded(tmp_path)
    with mail_server(login=True) as server:
        configured(tmp_path, server.port, "password: {env: SMTP_PASSWORD}")
        right = mailed(tmp_path, SMTP_PASSWORD=SMTP)
        wrong = mailed(tmp_path, "--again", SMTP_PASSWORD=f"{SMTP}x")
    assert (right.code, wrong.code) == (0, 1)
    assert "the login of snapaudit@example.org was refused: 535" in wrong.err


def test_audits_that_no_longer_run_are_mailed_as_news_and_end_with_3(tmp_path: Path) -> None:
    recorded(tmp_path, LONG_AGO)
    with mail_server() as server:
        configured(tmp_path, server.port, "when_clean: silent")
        ran = mailed(tmp_path)
    assert ran.code == 3
    [mail] = arrived(server)
    body = mail.get_body(("plain",))
    assert body is not None
    assert "The last recorded run was 9 days before" in body.get_content()


def test_a_preview_needs_no_server_and_sends_nothing(tmp_path: Path) -> None:
    ran = snapaudit("report", "--demo", "--preview", "week.eml", cwd=tmp_path)
    assert (ran.code, ran.out) == (3, "")
    mail = BytesParser(policy=policy.default).parsebytes((tmp_path / "week.eml").read_bytes())
    assert isinstance(mail, EmailMessage)
    assert mail["Subject"].startswith("[snapaudit] CRITICAL ")
    assert [one.get_content_type() for one in mail.iter_attachments()] == ["text/html"]


def test_a_preview_of_one_owner_is_his_part(tmp_path: Path) -> None:
    recorded(tmp_path)
    configured(tmp_path, 1, "owners: {alice: alice@example.org}")
    ran = snapaudit("report", "--preview", "a.eml", "--owner", "ALICE", cwd=tmp_path)
    assert ran.err == "a.eml: the mail to alice@example.org, not sent\n"
    assert "for Alice" in (tmp_path / "a.eml").read_text()


def test_published_reports_are_listed_and_old_ones_go(tmp_path: Path) -> None:
    (tmp_path / "snapaudit.yaml").write_text(
        "version: 1\nendpoints: []\nreports: {path: weekly, keep: 1}\n"
    )
    for at in (LONG_AGO, RECENT):
        recorded(tmp_path, at)
        ran = snapaudit("report", "--publish", cwd=tmp_path)
        assert ran.out == ""
    days = sorted(one.name for one in (tmp_path / "weekly").iterdir())
    assert days == [f"{RECENT:%Y-%m-%d}", "index.html"]
    assert "removed, older than the reports to keep" in ran.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mail",), "the configuration names no mail server"),
        (("--to", "a@b"), "--to and --owner need --mail or --preview"),
        (("--owner", "al"), "--to and --owner need --mail or --preview"),
        (("--again",), "--again needs --mail"),
        (("--preview", "x.eml", "--to", "a@b\nBcc: c@d"), "is no mail address"),
        (("--preview", "x.eml", "--owner", "nobody"), "no snapshot names 'nobody'"),
        (("--demo", "--publish"), "not published among real reports"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    recorded(tmp_path)
    ran = snapaudit("report", *options, cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not (tmp_path / "x.eml").exists()


def test_a_made_up_report_goes_to_nobody_who_was_not_named(tmp_path: Path) -> None:
    with mail_server() as server:
        configured(tmp_path, server.port)
        ran = mailed(tmp_path, "--demo")
        named = mailed(tmp_path, "--demo", "--to", "me@example.org")
    assert ran.code == 2
    assert "made up: name who is to get it by --to" in ran.err
    assert named.err == "mailed to me@example.org\n"
    assert [one["To"] for one in arrived(server)] == ["me@example.org"]


def test_a_ledger_that_cannot_be_used_mails_nothing(tmp_path: Path) -> None:
    recorded(tmp_path)
    (tmp_path / ".snapaudit" / "mailed.jsonl").symlink_to("/dev/full")
    with mail_server() as server:
        configured(tmp_path, server.port)
        ran = mailed(tmp_path)
    assert ran.code == 4
    assert "mailed.jsonl: cannot be opened" in ran.err
    assert not server.kept
