from __future__ import annotations

import re
from pathlib import Path

import pytest

from snapaudit.config import (
    accounts,
    approvals,
    endpoints,
    executor,
    exemptions,
    limits,
    loader,
    mail,
    policy,
)
from snapaudit.config.settings import Settings
from snapaudit.config.template import text
from snapaudit.model.endpoint import Endpoint, SecretSource
from tests.config.written import settings

LOCAL = Endpoint(name="local", kind="libvirt", url="qemu:///system")
KEYS = {
    *loader.KEYS,
    *endpoints.REQUIRED,
    *endpoints.OPTIONAL,
    *accounts.ACCOUNT_KEYS,
    *accounts.TLS_KEYS,
    *policy.RULE_KEYS,
    *policy.WHERE_KEYS,
    *exemptions.KEYS,
    *limits.KEYS,
    *approvals.KEYS,
    *executor.PROCESS_KEYS,
    *executor.DASK_KEYS,
    *mail.REQUIRED,
    *mail.OPTIONAL,
    *SecretSource,
}


def _uncommented(folder: Path, *found: Endpoint) -> Settings:
    return settings(folder, re.sub(r"(?m)^# ", "", text(found)))


@pytest.mark.parametrize(
    "found", [(), (LOCAL,), (LOCAL, Endpoint(name="é: #1", kind="libvirt", url="test:///default"))]
)
def test_active_part_is_valid_and_holds_what_was_found(
    tmp_path: Path, found: tuple[Endpoint, ...]
) -> None:
    read = settings(tmp_path, text(found))
    assert read.endpoints == found
    assert read.limits == loader.defaults(tmp_path).limits
    assert (read.environments, read.mail, read.approvals) == ((), None, None)


@pytest.mark.parametrize("found", [(), (LOCAL,)])
def test_every_example_is_valid(tmp_path: Path, found: tuple[Endpoint, ...]) -> None:
    read = _uncommented(tmp_path, *found)
    names = [endpoint.name for endpoint in read.endpoints]
    assert names == [*[one.name for one in found], "vc-berlin", "kvm1", "kvm-lab", "hv1", "pool1"]
    assert {environment.name for environment in read.environments} == {"prod", "test", "edge"}
    assert read.rules.folders
    assert read.rules.disable
    assert set(read.rules.levels["stale-snapshot"]) == {"prod", "default"}
    assert read.limits.window is not None
    assert read.exemptions.honour_expiry is not None
    assert read.exemptions.max_life == loader.defaults(tmp_path).exemptions.max_life
    assert read.approvals is not None
    assert read.mail is not None


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_is_told(key: str) -> None:
    assert re.search(rf"(?<![\w-]){key}\b", text(()))


def test_examples_say_nothing_but_the_defaults_about_folders(tmp_path: Path) -> None:
    read, standing = _uncommented(tmp_path), loader.defaults(tmp_path)
    assert (read.state, read.reports) == (standing.state, standing.reports)


def test_lines_fit_a_page() -> None:
    assert max(len(line) for line in text((LOCAL,)).splitlines()) <= 100
