"""What the exporter serves while collections finish, fail and hang, and while many ask at once."""

from __future__ import annotations

import http.client
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from snapaudit.app.serving import Service, refuse_public
from snapaudit.errors import SnapauditError, UsageError
from snapaudit.model.metric import Family, Sample
from snapaudit.report.check.metrics import families
from snapaudit.serve.exposition import Exposition
from snapaudit.serve.keeper import Keeper
from snapaudit.serve.shelf import Shelf
from snapaudit.serve.web import Exporter
from tests.beds.checkers import promtool_said_of_metrics
from tests.beds.processes import wait_until
from tests.report.check.audits import hostile, large

ONE = (Family(name="snapaudit_status", help="One.", samples=(Sample(value=2),)),)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def shelf_at(clock: Clock) -> Shelf:
    return Shelf(stale_after=60, seconds=clock)


@contextmanager
def serving(shelf: Shelf) -> Iterator[Exporter]:
    exporter = Exporter("127.0.0.1", 0, shelf)
    thread = threading.Thread(target=exporter.serve_forever, daemon=True)
    thread.start()
    try:
        yield exporter
    finally:
        exporter.shutdown()
        exporter.server_close()
        thread.join()


def get(exporter: Exporter, path: str = "/metrics", accept: str = "") -> tuple[int, str]:
    line = http.client.HTTPConnection("127.0.0.1", exporter.server_port, timeout=30)
    try:
        line.request("GET", path, headers={"Accept": accept})
        answer = line.getresponse()
        return answer.status, answer.read().decode()
    finally:
        line.close()


def numbers(body: str) -> dict[str, float]:
    return {
        sample.name + "".join(sorted(sample.labels.values())): sample.value
        for one in text_string_to_metric_families(body)
        for sample in one.samples
    }


def metrics(exporter: Exporter) -> dict[str, float]:
    return numbers(get(exporter)[1])


def test_before_the_first_collection_there_is_nothing_and_that_is_stale() -> None:
    with serving(shelf_at(Clock())) as exporter:
        found = metrics(exporter)
        assert (found["snapaudit_up"], found["snapaudit_stale"]) == (0, 1)
        assert "snapaudit_status" not in found
        assert "snapaudit_collection_age_seconds" not in found
        assert get(exporter, "/readyz") == (503, "no collection has finished yet\n")
        assert get(exporter, "/healthz")[0] == 200


def test_what_finished_is_served_with_its_age_and_grows_stale() -> None:
    clock = Clock()
    shelf = shelf_at(clock)
    shelf.started()
    clock.now += 5
    shelf.finished(ONE)
    with serving(shelf) as exporter:
        clock.now += 30
        found = metrics(exporter)
        assert (found["snapaudit_up"], found["snapaudit_collection_age_seconds"]) == (1, 30)
        assert found["snapaudit_collection_duration_seconds"] == 5
        assert get(exporter, "/readyz")[0] == 200
        clock.now += 31
        found = metrics(exporter)
        assert (found["snapaudit_up"], found["snapaudit_stale"]) == (0, 1)
        assert found["snapaudit_status"] == 2  # the old data is still there, told to be old
        assert get(exporter, "/readyz")[0] == 503


def test_a_hung_collection_leaves_the_last_one_there_and_lets_it_grow_stale() -> None:
    clock, hung = Clock(), threading.Event()
    shelf, calls = shelf_at(clock), []

    def collect(stop: threading.Event) -> tuple[Family, ...]:
        calls.append(1)
        if len(calls) > 1:
            hung.set()
            stop.wait(60)
        return ONE

    keeper = Keeper(collect, shelf, interval=0.01, tell=lambda _line: None)
    keeper.start()
    try:
        assert hung.wait(10)
        clock.now += 61
        with serving(shelf) as exporter:
            found = metrics(exporter)
        assert (found["snapaudit_stale"], found["snapaudit_status"]) == (1, 2)
        assert found["snapaudit_collection_running"] == 1
        assert found["snapaudit_collection_running_seconds"] == 61
    finally:
        keeper.stop()
        keeper.join(10)
    assert not keeper.is_alive()
    assert shelf.standing().finished == 1  # one that was ended early is not put on the shelf


@pytest.mark.parametrize("error", [SnapauditError("no such file"), ValueError("odd")])
def test_a_collection_that_fails_is_counted_and_told_and_the_next_one_comes(
    error: Exception,
) -> None:
    shelf = shelf_at(Clock())
    told: list[str] = []
    calls: list[int] = []

    def collect(_stop: threading.Event) -> tuple[Family, ...]:
        calls.append(1)
        if len(calls) == 2:
            raise error
        return ONE

    keeper = Keeper(collect, shelf, interval=0.01, tell=told.append)
    keeper.start()
    try:
        wait_until(lambda: shelf.standing().finished >= 2, 10, "the collection after the failure")
    finally:
        keeper.stop()
        keeper.join(10)
    assert shelf.standing().failed == 1
    assert str(error) in told[0]


def test_a_storm_of_scrapes_is_answered_and_rendered_once() -> None:
    shelf = shelf_at(Clock())
    shelf.finished(families(large(per_snapshot=True)))
    with serving(shelf) as exporter:
        expected = get(exporter)[1]
        with ThreadPoolExecutor(24) as threads:
            answers = list(threads.map(lambda _: get(exporter), range(400)))
        assert {status for status, _ in answers} == {200}
        assert {body for _, body in answers} == {expected}


def test_those_who_connect_and_say_nothing_keep_nobody_from_being_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("snapaudit.serve.web._Answer.timeout", 0.2)
    shelf = shelf_at(Clock())
    shelf.finished(ONE)
    with serving(shelf) as exporter:
        silent = [socket.create_connection(("127.0.0.1", exporter.server_port)) for _ in range(200)]
        try:
            assert metrics_in_the_end(exporter)["snapaudit_status"] == 2
        finally:
            for one in silent:
                one.close()


def metrics_in_the_end(exporter: Exporter) -> dict[str, float]:
    """Those who come when all places are taken are hung up on, and come again."""
    found: list[dict[str, float]] = []

    def answered() -> bool:
        try:
            found.append(metrics(exporter))
        except (OSError, http.client.HTTPException):
            return False
        return True

    wait_until(answered, 60, "an answer")
    return found[0]


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics?name[]=x"])
def test_pages_answer(path: str) -> None:
    with serving(shelf_at(Clock())) as exporter:
        assert get(exporter, path)[0] == 200


def test_another_page_names_those_there_are() -> None:
    with serving(shelf_at(Clock())) as exporter:
        status, text = get(exporter, "/../etc/passwd")
        assert status == 404
        assert "/metrics" in text


def test_openmetrics_is_served_to_who_asks_for_it() -> None:
    shelf = shelf_at(Clock())
    shelf.finished(ONE)
    with serving(shelf) as exporter:
        assert get(exporter, accept="application/openmetrics-text")[1].endswith("# EOF\n")
        assert "# EOF" not in get(exporter)[1]


@pytest.mark.bed
def test_promtool_has_nothing_to_say_of_what_is_served() -> None:
    shelf = shelf_at(Clock())
    shelf.started()
    shelf.finished(families(hostile(per_snapshot=True)))
    shelf.started()
    body, _kind = Exposition(shelf).body("")
    assert promtool_said_of_metrics(body) == (0, "")


def test_a_port_that_is_taken_is_one_sentence() -> None:
    taken = pytest.raises(SnapauditError, match=r"cannot listen on 127\.0\.0\.1:.*in use")
    with serving(shelf_at(Clock())) as exporter, taken:
        Exporter("127.0.0.1", exporter.server_port, shelf_at(Clock()))


def test_without_the_client_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(SnapauditError, match=r"pipx install 'snapaudit\[serve\]'"):
        Exposition(shelf_at(Clock()))


def test_the_error_for_an_open_address_names_both_ways_out() -> None:
    hour = timedelta(hours=1)
    service = Service(host="0.0.0.0", port=1, interval=hour, stale_after=hour)  # noqa: S104
    with pytest.raises(UsageError, match="reverse proxy, or add --public"):
        refuse_public(service)
