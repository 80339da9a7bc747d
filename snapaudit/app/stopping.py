"""Take back a merge that a person wants stopped, and close its action as it stands."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from snapaudit import registry
from snapaudit.app.applying import REAL_CLOCK, SecretOfAccount
from snapaudit.config.settings import Settings
from snapaudit.enforce.course import Course
from snapaudit.enforce.identity import after
from snapaudit.enforce.journal import Journal
from snapaudit.enforce.record import done_before
from snapaudit.enforce.sealing import read_plan
from snapaudit.enforce.state import State
from snapaudit.enforce.stopping import Stop
from snapaudit.errors import RefusedError, UsageError
from snapaudit.model.acting import Call
from snapaudit.model.plan import Action, Expectation
from snapaudit.ports import Actuator, Stoppable


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who wants it and why. ``ask`` is handed the call, and raises where the answer is no."""

    name: str
    reason: str
    ask: Callable[[Action, Call], None]


def stop_merge(
    settings: Settings,
    journal: Journal,
    course: Course,
    person: Person,
    secret_of_account: SecretOfAccount,
) -> str | None:
    """None: stopped, and the action abandoned; else why nobody knows what has become of it.

    Whoever calls holds the lock. Raises RefusedError when nothing was sent.
    """
    action, expected = _planned(settings, journal, course)
    with closing(_hand(settings, action, secret_of_account)) as actuator:
        if not isinstance(actuator, Stoppable):
            raise UsageError(f"{action.endpoint}: a merge cannot be taken back on this platform")
        return Stop(
            run_id=f"by-hand-{secrets.token_hex(4)}",
            action=action,
            expected=expected,
            course=course,
            actuator=actuator,
            journal=journal,
            by=person.name,
            reason=person.reason,
            ask=lambda call: person.ask(action, call),
            clock=REAL_CLOCK,
        ).carry_out()


def _planned(settings: Settings, journal: Journal, course: Course) -> tuple[Action, Expectation]:
    """The action, and what its machine is to look like after those before it."""
    state = State(settings.state)
    plan = read_plan(state, state.sealed / f"{course.plan_id}.json")[0]
    actions = {action.id: action for action in plan.actions}
    if course.action_id not in actions:
        raise RefusedError(f"plan {plan.id} knows no action {course.action_id}")
    action = actions[course.action_id]
    earlier = done_before(action, journal.of_plan(plan.id), actions)
    return action, after(action.expects, earlier)


def _hand(settings: Settings, action: Action, secret_of_account: SecretOfAccount) -> Actuator:
    known = {endpoint.name: endpoint for endpoint in settings.endpoints}
    endpoint = known.get(action.endpoint)
    if endpoint is None:
        raise RefusedError(f"{action.endpoint} is no longer configured")
    password = secret_of_account(endpoint.enforce_as or endpoint.account)
    return registry.hypervisor(endpoint.kind).actuator(endpoint, password)
