from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.app.mailing import deliver, preview
from snapaudit.config.loader import defaults
from snapaudit.config.settings import Mail
from snapaudit.errors import InputError, RefusedError
from snapaudit.mail.session import Patience
from snapaudit.model.letter import Delivery, Fate, Letter
from tests.beds.mailserver import breaking, mail_server
from tests.builders import NOW
from tests.canaries import SMTP
from tests.mail.letters import SENDER, letter, settings
from tests.mail.test_sending import talks_until

SOON = Patience(answer_seconds=5, whole_seconds=30)


def deliveries(
    folder: Path, mail: Mail, *letters: Letter, again: bool = False, environ: str = SMTP
) -> list[Delivery]:
    return list(
        deliver(
            letters,
            mail,
            defaults(folder),
            {"SMTP_PASSWORD": environ},
            NOW,
            again=again,
            patience=SOON,
        )
    )


def test_a_second_run_mails_nobody_twice_and_again_does(tmp_path: Path) -> None:
    with mail_server() as server:
        where = settings(server.port)
        [first] = deliveries(tmp_path, where, letter("a@b"))
        [second] = deliveries(tmp_path, where, letter("a@b"))
        [third] = deliveries(tmp_path, where, letter("a@b"), again=True)
    assert [first.fate, second.fate, third.fate] == [Fate.SENT, Fate.EARLIER, Fate.SENT]
    assert second.is_well
    assert len(server.kept) == 2
    ids = {one.body.split(b"Message-ID: ")[1].split(b"\r\n")[0] for one in server.kept}
    assert len(ids) == 2


def test_a_second_run_mails_those_who_were_refused_the_first_time(tmp_path: Path) -> None:
    with mail_server(refuse={"c@d": "451 later"}) as server:
        deliveries(tmp_path, settings(server.port), letter("a@b", "c@d"))
    with mail_server() as server:
        fates = deliveries(tmp_path, settings(server.port), letter("a@b", "c@d"))
    assert [(one.recipient, one.fate) for one in fates] == [
        ("a@b", Fate.EARLIER),
        ("c@d", Fate.SENT),
    ]
    assert [one.recipients for one in server.kept] == [("c@d",)]


def test_what_may_have_been_delivered_is_left_to_a_person(tmp_path: Path) -> None:
    with breaking(talks_until(b"\r\n.\r\n")) as port:
        [lost] = deliveries(tmp_path, settings(port), letter("a@b"))
    with mail_server() as server:
        [later] = deliveries(tmp_path, settings(server.port), letter("a@b"))
    assert (lost.fate, later.fate) == (Fate.UNKNOWN, Fate.EARLIER)
    assert not later.is_well
    assert not server.kept


def test_a_server_that_was_down_gets_the_letter_the_next_time(tmp_path: Path) -> None:
    with breaking(lambda _: None) as port:
        [failed] = deliveries(tmp_path, settings(port), letter("a@b"))
    with mail_server() as server:
        [sent] = deliveries(tmp_path, settings(server.port), letter("a@b"))
    assert (failed.fate, sent.fate) == (Fate.FAILED, Fate.SENT)


def test_the_password_comes_from_where_the_configuration_says(tmp_path: Path) -> None:
    with mail_server("smtps", login=True) as server:
        where = settings(server.port, "smtps", login=True)
        [sent] = deliveries(tmp_path, where, letter("a@b"))
        with pytest.raises(InputError, match="SMTP_PASSWORD is empty"):
            deliveries(tmp_path, where, letter("c@d"), environ="")
    assert sent.fate is Fate.SENT


def test_a_state_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".snapaudit").mkdir()
    (tmp_path / ".snapaudit").chmod(0o777)
    with pytest.raises(RefusedError, match="others may write"):
        deliveries(tmp_path, settings(25), letter("a@b"))


def test_a_preview_is_the_message_that_would_be_sent(tmp_path: Path) -> None:
    with mail_server() as server:
        deliveries(tmp_path, settings(server.port), letter("a@b"))
    assert server.kept[0].body.rstrip() == preview(letter("a@b"), SENDER, NOW).rstrip()
