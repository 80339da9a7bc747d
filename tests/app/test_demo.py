"""The demo runs through the real collector and shows every finding of the pack."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from snapaudit.app.audit import audit, policy_of
from snapaudit.app.gather import Request, gather, settings_of
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.model.policy import SubjectKind
from tests.hypervisors.contract import keeps

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


def _gather(folder: Path) -> Inventory:
    request = Request(environ={}, folder=folder, demo=True, endpoints=("demo",))
    settings = settings_of(request)
    (seen,) = gather(request, settings, now=NOW, secret_of=lambda _: None, progress=lambda _: None)
    return seen


@pytest.fixture(scope="module")
def demo(folder: Path) -> Audit:
    settings = settings_of(Request(environ={}, folder=folder, demo=True))
    return audit([_gather(folder)], policy_of(settings), NOW)


def test_demo_keeps_the_contract_of_every_hypervisor(folder: Path) -> None:
    keeps(lambda: _gather(folder))


def test_every_rule_of_the_pack_finds_something(demo: Audit, folder: Path) -> None:
    settings = settings_of(Request(environ={}, folder=folder, demo=True))
    # A single look brings no earlier runs and no exemptions along.
    rest = {"datastore-filling", "fast-growing-snapshot"}
    rules = {
        rule.id for rule in policy_of(settings).rules if rule.subject is not SubjectKind.EXEMPTION
    }
    assert rules - {finding.rule for finding in demo.findings} == rest


def test_subjects_are_those_the_fleet_was_staged_with(demo: Audit) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for finding in demo.findings:
        found[finding.rule].add(finding.subject.vm_name or finding.subject.name)
    assert found["broken-chain"] == {"scan01"}
    assert found["datastore-near-full"] == {"san-1", "ssd-b"}
    assert found["phantom-delta"] == found["consolidation-needed"] == {"chat01", "ci-02"}
    assert found["leftover-backup-snapshot"] == {"git01", "monitor01"}
    assert found["long-chain"] == {"router-lab", "switch-lab"}
    assert {"erp01", "erp-db", "db02", "file01"} <= found["stale-snapshot"]
    assert {"wiki01", "hr01"} <= found["expired-snapshot"]
    assert {"batch-lab", "erp-test"} <= found["memory-snapshot"]
    assert len(found["makeshift-backup"]) >= 6


def test_machines_in_order_have_no_finding(demo: Audit) -> None:
    named = {finding.subject.vm_name for finding in demo.findings}
    assert named.isdisjoint({"web01", "mail01", "vdi-02", "proxy01", "dns01", "db01", "ci-01"})


def test_template_of_the_linked_clones_is_protected(demo: Audit) -> None:
    (inventory,) = demo.inventories
    template = next(vm for vm in inventory.virtual_machines if vm.name == "tmpl-desktop")
    assert template.is_template
    for snapshot in template.snapshots:
        assert any(text.startswith("shared-backing: vdi-01") for text in snapshot.protections)


def test_view_with_an_unseen_image_is_partial(demo: Audit) -> None:
    (entry,) = demo.coverage
    assert entry.state is CoverageState.PARTIAL
    assert "ledger-base" in (entry.reason or "")


def test_one_host_of_the_demo_is_seen_whole_so_that_something_can_be_planned(folder: Path) -> None:
    request = Request(environ={}, folder=folder, demo=True)
    settings = settings_of(request)
    seen = gather(request, settings, now=NOW, secret_of=lambda _: None, progress=lambda _: None)
    assert [one.coverage.state for one in seen] == [CoverageState.PARTIAL, CoverageState.COMPLETE]
