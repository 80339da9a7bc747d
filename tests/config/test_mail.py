from __future__ import annotations

from pathlib import Path

import pytest

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
        (f"{{smtp: 'smtp://m', {_REST}, ▶subject: x}}", "unknown key; known here: from, password"),
        (f"{{smtp: 'smtp://m', {_REST}, password: ▶hunter2}}", "a password never stands in"),
    ],
)
def test_wrong_mail_is_told_at_its_place(tmp_path: Path, marked: str, said: str) -> None:
    message = fault(tmp_path, f"version: 1\nmail: {marked}\n")
    assert message.startswith(said)
    assert "hunter2" not in message
