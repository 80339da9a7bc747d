"""From runners to an inventory: who is asked, what a node's silence means, how clocks compare."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from snapaudit.errors import AccessDenied, HypervisorError, Unreachable, UsageError
from snapaudit.hypervisors.hyperv.collect import collect, read, skew
from snapaudit.hypervisors.hyperv.rows import Answer
from snapaudit.hypervisors.hyperv.translate import observed
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.ports import Step
from tests.builders import NOW
from tests.hypervisors.contract import keeps
from tests.hypervisors.hyperv.hrows import (
    answer,
    disk_row,
    drive,
    error_row,
    file_row,
    guid,
    host_row,
    line,
    machine_row,
)
from tests.hypervisors.hyperv.printed import Printer, lines
from tests.hypervisors.hyperv.seen import ENDPOINT, machine, snapshot, words

CSV = "C:\\ClusterStorage\\Volume1"


def unheard(step: Step) -> None:
    """Progress that nobody looks at."""


@dataclass
class Site:
    """Hosts by the name that they are asked by; who is not here cannot be reached."""

    answers: dict[str, Answer | Exception]
    is_verified: bool = True
    asked: list[Printer] = field(default_factory=list)

    def runner(self, name: str) -> Printer:
        told = self.answers.get(name.lower(), Unreachable(f"{name}: nothing answered"))
        failed = told if isinstance(told, Exception) else None
        printed = lines(told) if isinstance(told, Answer) else []
        self.asked.append(Printer(name, printed, self.is_verified, error=failed))
        return self.asked[-1]

    def collect(self, **options: Any) -> Inventory:
        endpoint = replace(ENDPOINT, options=options)
        return collect(self.runner, endpoint, NOW, unheard)


def clustered(name: str, *rows: object, nodes: tuple[str, ...] = ("HV1", "HV2")) -> Answer:
    return answer(*rows, host=host_row(name, cluster="HVC", nodes=nodes))


def pair() -> dict[str, Answer | Exception]:
    return {
        "hv1.example.net": clustered("HV1", line("web", "s1", folder=CSV)),
        "hv2.example.net": clustered("HV2", line("db", folder=CSV)),
    }


# One host ----------------------------------------------------------------------------------------


def test_host_is_read_by_one_run_of_one_script_and_let_go() -> None:
    site = Site({"hv1.example.net": answer(line("web", "s1"))})
    found = site.collect()
    (runner,) = site.asked
    assert runner.asked == [("collect", {"sizes": True})]
    assert runner.is_closed
    assert machine(found).snapshots[0].protections == ()
    assert (found.connection_verified, found.clock_skew_seconds) == (True, 0.0)
    assert (found.endpoint, found.hypervisor, found.collected_at) == ("hv", "hyperv", NOW)


def test_what_every_hypervisor_keeps_is_kept_over_the_lines_too() -> None:
    site = Site(pair())
    found = keeps(site.collect)
    assert found.coverage.state is CoverageState.COMPLETE


def test_connection_that_nobody_verified_is_said() -> None:
    site = Site({"hv1.example.net": answer(line("web"))}, is_verified=False)
    assert site.collect().connection_verified is False


def test_sizes_false_leaves_the_disk_files_alone() -> None:
    site = Site({"hv1.example.net": answer(line("web", "s1"))})
    found = site.collect(sizes=False)
    assert site.asked[0].asked == [("collect", {"sizes": False})]
    assert any("sizes: false" in spot for spot in found.blind_spots)


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (Unreachable("hv: hv1: nothing answered"), Unreachable, "nothing answered"),
        (
            answer(host=host_row(language_mode="ConstrainedLanguage")),
            HypervisorError,
            "Constrained",
        ),
        (answer(error_row("module")), HypervisorError, "Install-WindowsFeature"),
        (answer(error_row("vms")), AccessDenied, "Hyper-V Administrators"),
        (answer(host=host_row(version=2)), HypervisorError, "version"),
    ],
)
def test_first_host_that_cannot_be_read_ends_it_with_the_repair(
    told: Answer | Exception, kind: type[Exception], words: str
) -> None:
    site = Site({"hv1.example.net": told})
    with pytest.raises(kind, match=words) as raised:
        site.collect()
    assert "hv1" in str(raised.value)
    assert site.asked[0].is_closed


def test_cut_answer_is_no_answer() -> None:
    site = Site({})
    whole = lines(answer(line("web", "s1")))

    def cut(name: str) -> Printer:
        return Printer(name, whole[:-1])

    with pytest.raises(HypervisorError, match="cut"):
        collect(cut, ENDPOINT, NOW, unheard)
    assert site.asked == []


def test_b10_names_survive_the_lines() -> None:
    name = "O'Brien's $(calc) [*]\r\n\N{ROCKET}" + "x" * 200
    site = Site({"hv1.example.net": answer(line("web", "s1", vm={"name": name, "notes": name}))})
    (vm,) = site.collect().virtual_machines
    assert (vm.name, vm.notes) == (name, name)
    assert name not in str(site.asked[0].asked)


# Nodes -------------------------------------------------------------------------------------------


def test_other_nodes_are_asked_in_the_domain_of_the_first() -> None:
    site = Site(pair())
    found = site.collect()
    assert [runner.host.lower() for runner in site.asked] == ["hv1.example.net", "hv2.example.net"]
    assert {vm.name: vm.host_id for vm in found.virtual_machines} == {"web": "hv1", "db": "hv2"}
    assert found.manager_id == "hvc"
    assert all(runner.is_closed for runner in site.asked)


def test_nodes_none_asks_the_first_host_alone() -> None:
    site = Site(pair())
    assert [vm.name for vm in site.collect(nodes="none").virtual_machines] == ["web"]
    assert len(site.asked) == 1


def test_nodes_that_a_person_names_are_asked_as_they_are_written() -> None:
    hosts = pair()
    hosts["10.0.0.2"] = hosts.pop("hv2.example.net")
    site = Site(hosts)
    found = site.collect(nodes="10.0.0.2")
    assert {vm.name for vm in found.virtual_machines} == {"web", "db"}
    assert found.coverage.state is CoverageState.COMPLETE


@pytest.mark.parametrize("chosen", ["", "hv2,", ",", "hv2,,hv3"])
def test_list_of_nodes_with_an_empty_name_is_refused(chosen: str) -> None:
    with pytest.raises(UsageError, match="nodes"):
        Site(pair()).collect(nodes=chosen)


def test_s4_node_outside_the_domain_is_not_asked_and_is_a_hole() -> None:
    told = clustered("HV1", line("web", folder=CSV), nodes=("HV1", "evil.example.org"))
    site = Site({"hv1.example.net": told})
    found = site.collect()
    assert len(site.asked) == 1
    assert found.coverage.state is CoverageState.PARTIAL
    assert [gap.subject for gap in found.gaps] == ["node evil"]


def test_c1_node_that_cannot_be_reached_is_named_and_nothing_is_an_orphan() -> None:
    hosts = pair()
    hosts["hv1.example.net"] = clustered(
        "HV1", line("web", folder=CSV), file_row(f"{CSV}\\lost.avhdx")
    )
    assert len(Site(hosts).collect().strays) == 1
    del hosts["hv2.example.net"]
    found = Site(hosts).collect()
    assert found.coverage.state is CoverageState.PARTIAL
    assert found.coverage.reason is not None
    assert "node hv2" in found.coverage.reason
    assert found.strays == ()


@pytest.mark.parametrize(
    "told",
    [
        answer(host=host_row("HV2", language_mode="ConstrainedLanguage")),
        answer(error_row("module"), host=host_row("HV2")),
        AccessDenied("hv2: the login was refused"),
    ],
)
def test_node_that_cannot_be_read_is_a_hole_with_its_reason(told: Answer | Exception) -> None:
    found = Site({**pair(), "hv2.example.net": told}).collect()
    assert [gap.subject for gap in found.gaps] == ["node hv2"]
    assert [vm.name for vm in found.virtual_machines] == ["web"]


def test_error_of_ours_on_a_node_is_no_hole() -> None:
    site = Site({**pair(), "hv2.example.net": ZeroDivisionError()})
    with pytest.raises(ZeroDivisionError):
        site.collect()


def test_node_that_hangs_is_a_hole_by_the_deadline() -> None:
    release = threading.Event()
    site = Site(pair())

    class Hanging(Printer):
        def run(self, script: str, argument: Any) -> Iterator[str]:
            release.wait(30)
            yield from ()

    def runner(name: str) -> Printer:
        return Hanging(name, []) if name.lower().startswith("hv2") else site.runner(name)

    endpoint = replace(ENDPOINT, deadline=timedelta(seconds=0.5))
    found = collect(runner, endpoint, NOW, unheard)
    release.set()
    assert [gap.subject for gap in found.gaps] == ["node hv2"]
    assert "did not answer" in found.gaps[0].reason


def test_host_that_is_listed_under_another_name_counts_once() -> None:
    hosts = pair()
    hosts["alias"] = hosts["hv1.example.net"]
    found = Site(hosts).collect(nodes="alias, hv2.example.net")
    assert machine(found).busy is False
    assert len(found.hosts) == 2


def test_progress_tells_each_node() -> None:
    steps: list[Step] = []
    collect(Site(pair()).runner, ENDPOINT, NOW, steps.append)
    assert [(step.phase, step.seen, step.total) for step in steps] == [
        ("connecting", 0, None),
        ("reading", 1, 2),
        ("measuring", 2, None),
    ]


# Clocks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [(0, 0), (7, 0), (20, 0), (21, 1), (3600, 3580), (-1, -1), (-3600, -3600)],
)
def test_clock_is_off_by_what_our_waiting_does_not_explain(theirs: int, expected: int) -> None:
    heard = NOW + timedelta(seconds=20)
    assert skew(NOW + timedelta(seconds=theirs), NOW, heard) == expected


def test_clock_that_was_not_told_is_unknown() -> None:
    assert skew(None, NOW, NOW) is None
    hosts: dict[str, Answer | Exception] = {
        "hv1.example.net": answer(line("web"), host=host_row(now=None))
    }
    assert Site(hosts).collect().clock_skew_seconds is None


def test_clock_that_one_node_did_not_tell_may_be_any() -> None:
    hosts = pair()
    untold = host_row("HV2", cluster="HVC", nodes=("HV1", "HV2"), now=None)
    hosts["hv2.example.net"] = answer(line("db", folder=CSV), host=untold)
    assert Site(hosts).collect().clock_skew_seconds is None


@pytest.mark.parametrize("hours", [-2, 2])
def test_grd_04_clock_of_the_node_that_is_furthest_off_counts(hours: int) -> None:
    hosts = pair()
    late = host_row("HV2", cluster="HVC", nodes=("HV1", "HV2"), now=NOW + timedelta(hours=hours))
    hosts["hv2.example.net"] = answer(line("db", folder=CSV), host=late)
    told = Site(hosts).collect().clock_skew_seconds
    assert told is not None
    assert abs(told - hours * 3600) < 60


# For the hand that acts --------------------------------------------------------------------------


def observe(site: Site, only: frozenset[str] | None) -> Inventory:
    reading = read(site.runner, ENDPOINT, NOW, unheard, only=only)
    return observed(reading, guid("web"), endpoint=ENDPOINT, collected_at=NOW)


def test_one_machine_may_be_read_without_the_disk_files_of_the_others() -> None:
    other = [row for row in line("db") if not hasattr(row, "file_bytes")]
    site = Site({"hv1.example.net": answer(line("web", "s1"), other)})
    found = observe(site, frozenset({guid("web")}))
    assert site.asked[0].asked == [
        ("collect", {"sizes": True, "vms": [guid("web")], "folders": False})
    ]
    assert found.coverage.state is CoverageState.COMPLETE
    assert snapshot(found).protections == ()
    assert any("other machines" in spot for spot in found.blind_spots)


def test_whole_reading_sees_the_clone_that_stands_on_its_disk() -> None:
    clone = [disk_row("D:\\c.vhdx", "D:\\VMs\\web.vhdx"), machine_row("clone", drive("D:\\c.vhdx"))]
    site = Site({"hv1.example.net": answer(line("web", "s1"), clone)})
    assert "gold-image" in words(snapshot(observe(site, None)).protections)
