"""Exempting: what exemptions keep at this very moment, while a plan is carried out."""

from __future__ import annotations

from snapaudit.app.audit import with_exemptions
from snapaudit.config.settings import Settings
from snapaudit.enforce.ground import Clock
from snapaudit.enforce.offers import Place, exempt_places
from snapaudit.errors import InputError
from snapaudit.model.exemption import Exemption
from snapaudit.model.finding import Audit
from snapaudit.model.policy import Policy
from snapaudit.rules.exemptions import accept_again


class Exempting:
    """Says of a place why an exemption keeps it, by the file as it is when it is asked.

    Somebody who accepts a finding while a run is under way must not lose what it is about. What
    cannot be read keeps everything.
    """

    def __init__(self, seen: Audit, policy: Policy, settings: Settings, clock: Clock) -> None:
        self._seen, self._policy, self._settings, self._clock = seen, policy, settings, clock
        self._read: tuple[Exemption, ...] = policy.exemptions
        self._places = self._kept(policy)

    def __call__(self, place: Place) -> str | None:
        """The reason in a sentence; None: no exemption keeps it."""
        try:
            policy = with_exemptions(self._policy, self._settings)
        except InputError as error:
            return f"nobody can tell what is exempt: {error}. Repair the file"
        if policy.exemptions != self._read:
            self._read = policy.exemptions
            self._places = self._kept(policy)
        return self._places.get(place)

    def _kept(self, policy: Policy) -> dict[Place, str]:
        return exempt_places(accept_again(self._seen, policy, self._clock.now()))
