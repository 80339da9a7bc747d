from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.config.mail import owner_key
from tests.config.written import fault, settings

_REST = "from: a@example.org, to: [b@example.org]"


def test_mail_is_read_whole(tmp_path: Path) -> None:
    text = f"{{smtp: 'smtps://mail.example.org', {_REST}, password: {{env: SMTP_PASSWORD}}}}"
    mail = settings(tmp_path, f"version: 1\nmail: {text}\n").mail
    assert mail is not None
    assert (mail.smtp, mail.sender, mail.to) == (
        "smtps://mail.example.org",
        "a@example.org",
        ("b@example.org",),
    )
    assert mail.password is not None
    assert mail.password.name == "SMTP_PASSWORD"


def test_who_logs_in_is_written_or_in_the_url_or_the_sender(tmp_path: Path) -> None:
    def username(smtp: str, more: str) -> str | None:
        text = f"version: 1\nmail: {{smtp: '{smtp}', {_REST}, {more}}}\n"
        mail = settings(tmp_path, text).mail
        assert mail is not None
        return mail.username

    assert username("smtp://m", "attach: true") is None
    assert username("smtp://m", "password: {env: X}") == "a@example.org"
    assert username("smtp://me%40x@m", "password: {env: X}") == "me@x"
    assert username("smtp://me@m", "password: {env: X}, username: other") == "other"


def test_a_password_in_the_clear_is_for_this_machine_alone(tmp_path: Path) -> None:
    here = f"{{smtp: 'smtp://127.0.0.1', {_REST}, starttls: false, password: {{env: X}}}}"
    mail = settings(tmp_path, f"version: 1\nmail: {here}\n").mail
    assert mail is not None
    assert not mail.starttls


def test_owners_are_found_whatever_the_case_and_width_of_their_names(tmp_path: Path) -> None:
    text = (
        f"{{smtp: 'smtp://m', {_REST}, owners: {{Alice  Ångström: a@b}}, owner_domains: ['@B.c']}}"
    )
    mail = settings(tmp_path, f"version: 1\nmail: {text}\n").mail
    assert mail is not None
    assert mail.owners[owner_key("\uff21LICE a\u030angström")] == "a@b"
    assert mail.owner_domains == ("b.c",)


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        (f"▶{{{_REST}}}", "the key 'smtp' is missing"),
        (f"{{smtp: ▶'https://mail', {_REST}}}", "expected smtp:// or smtps:// and a host"),
        (f"{{smtp: ▶'smtps://', {_REST}}}", "expected smtp:// or smtps:// and a host"),
        (f"{{smtp: ▶'smtp://u:hunter2@mail', {_REST}}}", "the URL holds a password"),
        ("{smtp: 'smtp://m', from: ▶a, to: [b@c]}", "expected a mail address like"),
        ("{smtp: 'smtp://m', from: a@b, to: ▶b@c}", "expected a list, found 'b@c'"),
        ("{smtp: 'smtp://m', from: a@b, to: ▶[]}", "expected at least one address"),
        ('{smtp: "smtp://m", from: ▶"a@b\\nBcc: c@d", to: [b@c]}', "expected one line of text"),
        ("{smtp: 'smtp://m', from: a@b, to: [▶'b@c, d@e']}", "expected a mail address like"),
        (f"{{smtp: 'smtp://m', {_REST}, ▶subject: x}}", "unknown key; known here: attach, from"),
        (f"{{smtp: ▶'smtps://mail/path', {_REST}}}", "expected smtp:// or smtps:// and a host"),
        ("{smtp: 'smtp://m', from: ▶'ä@b', to: [b@c]}", "expected a mail address like"),
        (f"{{smtp: 'smtp://m', {_REST}, ▶username: x}}", "a username is of use only with"),
        (f"{{smtp: 'smtps://m', {_REST}, ▶starttls: true}}", "starttls goes with smtp:// only"),
        (
            f"{{smtp: 'smtp://m', {_REST}, starttls: false, ▶password: {{env: X}}}}",
            "without starttls the password would be sent in the clear",
        ),
        (f"{{smtp: 'smtp://m', {_REST}, when_clean: ▶silnt}}", "expected one of send, silent"),
        (f"{{smtp: 'smtp://m', {_REST}, owners: {{Al: a@b, ▶AL: c@d}}}}", "'AL' differs from"),
        (f"{{smtp: 'smtp://m', {_REST}, owners: {{Al: ▶al}}}}", "expected a mail address like"),
        (f"{{smtp: 'smtp://m', {_REST}, owner_domains: [▶'a@b']}}", "expected the part of"),
        (f"{{smtp: 'smtp://m', {_REST}, password: ▶hunter2}}", "a password never stands in"),
    ],
)
def test_wrong_mail_is_told_at_its_place(tmp_path: Path, marked: str, said: str) -> None:
    message = fault(tmp_path, f"version: 1\nmail: {marked}\n")
    assert message.startswith(said)
    assert "hunter2" not in message
