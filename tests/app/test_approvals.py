"""GRD-08 on the way to the act: asked before the question, and once more under the lock."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from snapaudit.app.applying import Means, apply
from snapaudit.app.audit import policy_of
from snapaudit.app.planning import config_digest
from snapaudit.config.loader import load
from snapaudit.config.settings import Settings
from snapaudit.enforce.approvals import sign_command
from snapaudit.enforce.sealing import write_plan
from snapaudit.enforce.state import State, prepare
from snapaudit.errors import RefusedError
from snapaudit.model.plan import Plan
from snapaudit.rules.digest import digest
from tests.beds.required import require_bed, require_program
from tests.cli.running import snapaudit
from tests.enforce.planned import plan

CONFIG = """\
version: 1
endpoints: [{name: kvm1, kind: libvirt, url: "test:///default"}]
limits: {max_share: 100%}
approvals: {needed: 1, signers: signers}
"""
# Where the tests do not run as root, a list that they wrote themselves is no list.
NOT_APPROVED = ("has 0 of 1 approvals", "could have written who may approve")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "snapaudit.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    (tmp_path / "signers").touch(mode=0o644)
    return load(path, options_of={"libvirt": ()})


@pytest.fixture
def chosen(settings: Settings) -> Plan:
    now = datetime.now(UTC).replace(microsecond=0)
    made = plan(
        planned_at=now,
        expires_at=now + timedelta(hours=1),
        config_digest=config_digest(settings),
        rules_digest=digest(policy_of(settings, ())),
        snapshots=1,
    )
    prepare(State(settings.state))
    write_plan(State(settings.state), made)
    return made


def test_grd_08_apply_names_what_is_missing_before_it_asks(
    tmp_path: Path, settings: Settings, chosen: Plan
) -> None:
    file = settings.state / "plans" / f"{chosen.id}.json"
    ran = snapaudit("enforce", "--apply", "--plan", str(file), cwd=tmp_path)
    assert ran.code == 4
    assert any(words in ran.err for words in NOT_APPROVED)
    assert "there is no terminal" not in ran.err
    assert not State(settings.state).journal.exists()


@pytest.mark.parametrize("file", [None, "plan-1.json"])
def test_grd_08_a_signature_taken_away_after_the_question_is_missed_under_the_lock(
    settings: Settings, chosen: Plan, file: str | None
) -> None:
    means = Means(
        secret_of=lambda _: None,
        secret_of_account=lambda _: None,
        progress=lambda _: None,
        tell=lambda _: None,
        note=lambda _: None,
        file=None if file is None else settings.state / "plans" / file,
    )
    with pytest.raises(RefusedError, match="|".join(NOT_APPROVED)):
        apply(chosen, settings, policy_of(settings, ()), frozenset(), means)
    assert State(settings.state).journal.read_bytes() == b""


@pytest.mark.bed
def test_grd_08_an_approved_plan_goes_on_and_says_who_approved_it(
    tmp_path: Path, settings: Settings, chosen: Plan
) -> None:
    keygen = require_program("ssh-keygen")
    if os.geteuid() != 0:
        require_bed("a list of signers that is not the running user's own takes root to make")
    key, file = tmp_path / "key", settings.state / "plans" / f"{chosen.id}.json"
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = key.with_suffix(".pub").read_text(encoding="utf-8")
    (tmp_path / "signers").write_text(f"bob {public}", encoding="utf-8")
    command = sign_command(chosen, file).replace("~/.ssh/id_ed25519", str(key))
    command = command.replace(f"echo {chosen.digest}", f"echo {digest_in(file)}")
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    ran = snapaudit("enforce", "--apply", "--yes", "--plan", str(file), cwd=tmp_path)
    assert "approved by bob" in ran.err
    assert "approvals" not in ran.err


def digest_in(file: Path) -> str:
    return str(json.loads(file.read_bytes())["digest"])


def test_without_approvals_in_the_configuration_it_comes_to_the_question(
    tmp_path: Path, settings: Settings, chosen: Plan
) -> None:
    text = CONFIG.replace("approvals: {needed: 1, signers: signers}\n", "")
    (tmp_path / "snapaudit.yaml").write_text(text, encoding="utf-8")
    signed = replace(chosen, config_digest=config_digest(settings))
    file = write_plan(State(settings.state), signed)
    assert json.loads(file.read_bytes())["config_digest"] != chosen.config_digest
    ran = snapaudit("enforce", "--apply", "--plan", str(file), cwd=tmp_path)
    assert ran.code == 2
    assert "there is no terminal: add --yes" in ran.err
