from __future__ import annotations

import base64
import email.policy
import socket
import struct
from collections.abc import Callable
from email.parser import BytesParser

import pytest

from snapaudit.config.settings import Mail
from snapaudit.errors import SnapauditError
from snapaudit.mail.sending import Outgoing, Post
from snapaudit.mail.session import Patience
from snapaudit.model.endpoint import Tls
from snapaudit.model.letter import Delivery, Fate
from tests.beds.mailserver import breaking, mail_server
from tests.canaries import REFUSED, SMTP
from tests.mail.letters import SENDER, TEAM, outgoing, settings

# The password as it is and as it travels.
SHOWN = (SMTP, *(base64.b64encode(one.encode()).decode() for one in (SMTP, f"\0me\0{SMTP}")))
SOON = Patience(answer_seconds=0.5, whole_seconds=30)


def send(
    where: Mail, *letters: Outgoing, password: str | None = None, patience: Patience = SOON
) -> list[Delivery]:
    post = Post(where, password, patience)
    try:
        return [fate for one in letters for fate in post.deliver(one, lambda _: None)]
    finally:
        post.close()


def failure(where: Mail, *, password: str | None = None, patience: Patience = SOON) -> str:
    """Why a letter was not sent, which never holds the password."""
    [fate] = send(where, outgoing(), password=password, patience=patience)
    assert fate.fate is Fate.FAILED
    for one in SHOWN:
        assert one not in fate.reason
    return fate.reason


@pytest.mark.parametrize("tls", ["", "starttls", "smtps"])
def test_a_letter_arrives_whole(tls: str) -> None:
    with mail_server(tls) as server:
        scheme = "smtps" if tls == "smtps" else "smtp"
        where = settings(server.port, scheme, starttls=tls == "starttls")
        [fate] = send(where, outgoing())
    assert (fate.fate, fate.recipient) == (Fate.SENT, *TEAM)
    [kept] = server.kept
    assert (kept.sender, kept.recipients) == (SENDER, TEAM)
    read = BytesParser(policy=email.policy.default).parsebytes(kept.body)
    body = read.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == ["One thing.", ".", "..dots"]


@pytest.mark.parametrize("tls", ["starttls", "smtps"])
def test_who_has_to_log_in_does_so_over_tls(tls: str) -> None:
    with mail_server(tls, login=True) as server:
        scheme = "smtps" if tls == "smtps" else "smtp"
        where = settings(server.port, scheme, starttls=tls == "starttls", login=True)
        [fate] = send(where, outgoing(), password=SMTP)
    assert (fate.fate, server.login) == (Fate.SENT, "me")


def test_a_wrong_password_is_told_and_not_shown() -> None:
    with mail_server("smtps", login=True) as server:
        where = settings(server.port, "smtps", login=True)
        [fate] = send(where, outgoing(), password=REFUSED)
    assert "the login of me was refused: 535" in fate.reason
    assert REFUSED not in fate.reason
    assert not server.kept


def test_several_letters_go_over_one_connection() -> None:
    with mail_server() as server:
        fates = send(settings(server.port), outgoing("a@b"), outgoing("c@d"))
    assert [one.fate for one in fates] == [Fate.SENT, Fate.SENT]
    assert server.connections == 1


@pytest.mark.parametrize("answer", ["550 no such user", "451 come back later"])
def test_one_refused_recipient_keeps_the_others_their_letter(answer: str) -> None:
    with mail_server(refuse={"gone@b": answer}) as server:
        fates = send(settings(server.port), outgoing("a@b", "gone@b", "c@d"), outgoing("e@f"))
    by_name = {one.recipient: one for one in fates}
    assert by_name["gone@b"].fate is Fate.REFUSED
    assert by_name["gone@b"].reason.endswith(f"refused: {answer}")
    assert [one.recipients for one in server.kept] == [("a@b", "c@d"), ("e@f",)]


def test_a_refused_sender_is_told_for_every_recipient() -> None:
    with mail_server(refuse={SENDER: "553 not yours"}) as server:
        fates = send(settings(server.port), outgoing("a@b", "c@d"))
    assert {one.fate for one in fates} == {Fate.REFUSED}
    assert "refused the sender: 553 not yours" in fates[0].reason


def test_a_refused_message_is_told_and_the_next_one_goes_its_way() -> None:
    with mail_server(data_answer="552 too large") as server:
        fates = send(settings(server.port), outgoing("a@b"), outgoing("c@d"))
    assert [one.fate for one in fates] == [Fate.REFUSED, Fate.REFUSED]
    assert "refused the message: 552 too large" in fates[0].reason
    assert server.connections == 1


def test_without_starttls_nothing_goes_in_the_clear() -> None:
    with mail_server() as server:
        why = failure(settings(server.port, starttls=True))
    assert "offers no STARTTLS, and nothing is sent in the clear" in why
    assert not server.kept


@pytest.mark.parametrize("tls", ["starttls", "smtps"])
def test_a_certificate_of_an_unknown_authority_is_refused_before_the_login(tls: str) -> None:
    with mail_server(tls, login=True) as server:
        scheme = "smtps" if tls == "smtps" else "smtp"
        where = settings(server.port, scheme, starttls=tls == "starttls", login=True, tls=Tls())
        why = failure(where, password=SMTP)
    assert "the certificate is refused: its authority is not trusted here" in why
    assert server.login == ""


def test_another_certificate_than_the_pinned_one_is_refused_before_the_login() -> None:
    with mail_server("smtps", login=True) as server:
        pinned = Tls(fingerprint=f"sha256:{'0' * 64}")
        why = failure(settings(server.port, "smtps", login=True, tls=pinned), password=SMTP)
    assert "the certificate is not the pinned one" in why
    assert server.login == ""


def test_a_server_without_tls_on_the_port_of_smtps_is_named() -> None:
    with mail_server() as server:
        why = failure(settings(server.port, "smtps"))
    assert "smtp:// asks for it by STARTTLS" in why


def test_a_server_that_offers_no_login_is_named() -> None:
    with mail_server() as server:
        why = failure(settings(server.port, login=True), password=SMTP)
    assert "the login of me is not possible: it offers none" in why


def test_a_closed_port_is_tried_once_for_all_letters() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    fates = send(settings(port), outgoing("a@b"), outgoing("c@d", "e@f"))
    assert [one.recipient for one in fates] == ["a@b", "c@d", "e@f"]
    [why] = {one.reason for one in fates}
    assert why.startswith(f"mail server 127.0.0.1:{port}: nothing listens there")


def test_a_name_that_does_not_exist_is_told() -> None:
    where = settings(25, smtp="smtp://nowhere.invalid")
    assert "nowhere.invalid cannot be resolved" in failure(where)


def _close(_line: socket.socket) -> None:
    pass


def _reset(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _hang(line: socket.socket) -> None:
    while line.recv(1024):
        pass


def _busy(line: socket.socket) -> None:
    line.sendall(b"421 too many connections\r\n")


def _nonsense(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    line.recv(1024)


def _echoes(line: socket.socket) -> None:
    """Repeats in its refusal whatever it was sent."""
    line.sendall(b"220 hi\r\n")
    line.recv(1024)
    line.sendall(b"250-hi\r\n250 AUTH PLAIN LOGIN\r\n")
    while said := line.recv(1024):
        line.sendall(b"535 wrong: " + said.strip()[-100:] + b"\r\n")


def _tells(line: socket.socket) -> None:
    """Understands what it is sent, and repeats it."""
    line.sendall(b"220 hi\r\n")
    line.recv(1024)
    line.sendall(b"250-hi\r\n250 AUTH LOGIN\r\n")
    answers = [b"334 UGFzc3dvcmQ6\r\n"] * 2
    while said := line.recv(1024).split():
        told = base64.b64decode(said[-1] if len(said[-1]) % 4 == 0 else b"")
        line.sendall(answers.pop() if answers else b"535 no such password: " + told + b"\r\n")


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        (_close, "closed the connection"),
        (_reset, "closed the connection"),
        (_hang, "did not answer within 0.5 s"),
        (_busy, "answered 421 too many connections"),
        (_nonsense, "answered -1"),
        (_echoes, "the login of me was refused: 535 wrong"),
        (_tells, "the login of me was refused: 535 no such password: ***"),
    ],
)
def test_a_server_that_breaks_off_is_named(
    talk: Callable[[socket.socket], None], said: str
) -> None:
    with breaking(talk) as port:
        assert said in failure(settings(port, login=True), password=SMTP)


def test_a_server_that_drips_its_answer_is_left_in_the_end() -> None:
    def drip(line: socket.socket) -> None:
        line.settimeout(0.05)
        while True:
            line.sendall(b"220-a\r\n")
            try:
                if not line.recv(1):
                    return
            except TimeoutError:
                continue

    with breaking(drip) as port:
        patience = Patience(answer_seconds=10, whole_seconds=0.5)
        assert "was not done after 0.5 s" in failure(settings(port), patience=patience)


def talks_until(last: bytes) -> Callable[[socket.socket], None]:
    """A server that is well until it has read that, and then is gone."""

    def talk(line: socket.socket) -> None:
        line.sendall(b"220 hi\r\n")
        heard = b""
        while last not in heard:
            said = line.recv(65536)
            heard += said
            if not said or last in heard:
                return
            line.sendall(b"354 go on\r\n" if said == b"DATA\r\n" else b"250 fine\r\n")

    return talk


def test_a_connection_lost_before_the_message_sends_nothing() -> None:
    with breaking(talks_until(b"DATA\r\n")) as port:
        assert "closed the connection" in failure(settings(port))


def test_a_connection_lost_after_the_message_leaves_its_fate_unknown() -> None:
    with breaking(talks_until(b"\r\n.\r\n")) as port:
        fates = send(settings(port), outgoing("a@b"), outgoing("c@d"))
    assert [one.fate for one in fates] == [Fate.UNKNOWN, Fate.UNKNOWN]
    assert "may have been delivered" in fates[0].reason


def test_nothing_is_handed_over_that_cannot_be_written_down_first() -> None:
    def full(_recipients: tuple[str, ...]) -> None:
        raise SnapauditError("the disk is full")

    with mail_server() as server:
        post = Post(settings(server.port), None, SOON)
        with pytest.raises(SnapauditError, match="the disk is full"):
            post.deliver(outgoing(), full)
        post.close()
    assert not server.kept
