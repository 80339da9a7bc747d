"""Mail what was written: through the server of the configuration, and to nobody twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from snapaudit.config.secrets import fetch
from snapaudit.config.settings import Mail, Settings
from snapaudit.enforce.state import State, prepare
from snapaudit.mail.ledger import Ledger
from snapaudit.mail.message import message
from snapaudit.mail.sending import Outgoing, Post
from snapaudit.mail.session import Patience
from snapaudit.model.letter import Delivery, Fate, Letter


def preview(letter: Letter, sender: str, now: datetime) -> bytes:
    """The message as it would be sent, for a file that mail programs open."""
    return message(letter, sender=sender, now=now).as_bytes()


def deliver(
    letters: Iterable[Letter],
    mail: Mail,
    settings: Settings,
    environ: Mapping[str, str],
    now: datetime,
    *,
    again: bool = False,
    patience: Patience | None = None,
) -> Iterator[Delivery]:
    """The fate of each letter for each recipient, as it becomes known.

    Whoever was sent this very report before gets it only ``again``. Raises SnapauditError when the
    state folder, its ledger or the password cannot be used: then nothing more was sent.
    """
    prepare(State(settings.state))
    with Ledger(settings.state) as ledger:
        password = None if mail.password is None else fetch(mail.password, environ).reveal()
        post = Post(mail, password, patience)
        way = _Way(sender=mail.sender, post=post, ledger=ledger, now=now, again=again)
        try:
            for letter in letters:
                yield from way.deliver(letter)
        finally:
            post.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One round of the post."""

    sender: str
    post: Post
    ledger: Ledger
    now: datetime
    again: bool

    def deliver(self, letter: Letter) -> Iterator[Delivery]:
        due: list[str] = []
        for recipient in letter.to:
            earlier = None if self.again else self.ledger.fate(letter, recipient)
            if earlier is None:
                due.append(recipient)
            else:
                fate, why = earlier
                yield Delivery(recipient=recipient, part=letter.part, fate=fate, reason=why)
        if due:
            yield from self._hand_over(letter, tuple(due))

    def _hand_over(self, letter: Letter, due: tuple[str, ...]) -> Iterator[Delivery]:
        attempt = self.ledger.attempt(letter, again=self.again)
        ready = message(letter, sender=self.sender, now=self.now, attempt=attempt)

        def note(recipients: tuple[str, ...]) -> None:
            self.ledger.note(letter, recipients, attempt, Fate.UNKNOWN, self.now)

        for one in self.post.deliver(Outgoing(letter=letter, message=ready, recipients=due), note):
            self.ledger.note(letter, (one.recipient,), attempt, one.fate, self.now)
            yield one
