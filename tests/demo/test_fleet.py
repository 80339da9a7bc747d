"""The file that is staged, as a file."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import libvirt
import pytest

from snapaudit.demo.fleet import stage
from snapaudit.errors import InputError
from tests.builders import NOW
from tests.demo.reading import snaps


def test_opening_the_fleet_writes_nothing_to_stderr(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    libvirt.open(stage(tmp_path, NOW).url).close()
    assert capfd.readouterr().err == ""


def test_fleet_opens_in_less_than_half_a_second(tmp_path: Path) -> None:
    url = stage(tmp_path, NOW).url
    times = []
    for _ in range(3):
        started = time.perf_counter()
        libvirt.open(url).close()
        times.append(time.perf_counter() - started)
    assert min(times) < 0.5


def test_equal_times_give_equal_files_in_every_time_zone(tmp_path: Path) -> None:
    berlin = NOW.astimezone(timezone(timedelta(hours=2)))
    for folder, now in (("a", NOW), ("b", NOW), ("c", berlin)):
        stage(tmp_path / folder, now)
    texts = {(tmp_path / folder / "fleet.xml").read_bytes() for folder in "abc"}
    assert len(texts) == 1


@pytest.mark.parametrize("day", [0, 31, 59, 90, 150, 272, 300])
def test_snapshot_names_stay_apart_whatever_the_day(tmp_path: Path, day: int) -> None:
    node = libvirt.open(stage(tmp_path, NOW + timedelta(days=day)).url)
    assert sum(domain.snapshotNum() for domain in node.listAllDomains(0)) == 107
    node.close()


def test_endpoint_is_found_below_a_folder_with_odd_characters(tmp_path: Path) -> None:
    endpoint = stage(tmp_path / "a b#c%20?ä", NOW)
    assert (endpoint.name, endpoint.kind) == ("demo", "libvirt")
    assert len(libvirt.open(endpoint.url).listAllDomains(0)) == 46


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"fleet\.xml: cannot be written"):
        stage(tmp_path / "file", NOW)


def test_restaging_replaces_what_was_there(tmp_path: Path) -> None:
    stage(tmp_path, NOW - timedelta(days=300))
    stage(tmp_path, NOW)
    stage(tmp_path / "fresh", NOW)
    assert (tmp_path / "fleet.xml").read_text() == (tmp_path / "fresh/fleet.xml").read_text()


@pytest.mark.parametrize("now", [NOW, NOW + timedelta(days=200)])
def test_ages_follow_from_the_time_of_staging(tmp_path: Path, now: datetime) -> None:
    node = libvirt.open(stage(tmp_path, now).url)
    created = snaps(node, "web01")["nginx-update"].findtext("creationTime", "")
    assert datetime.fromtimestamp(int(created), UTC) == now - timedelta(hours=5)
    node.close()
