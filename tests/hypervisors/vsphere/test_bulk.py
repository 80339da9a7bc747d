"""Reading in bulk from a server that answers as a test says: pages, lost objects, sessions."""

from __future__ import annotations

import gzip
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from snapaudit.errors import AccessDenied, HypervisorError, Unreachable
from snapaudit.hypervisors.vsphere.client import Client
from snapaudit.hypervisors.vsphere.raw import RawObject
from tests.beds.processes import wait_until
from tests.canaries import SOAP_SESSION
from tests.hypervisors.vsphere.soapserver import Answer, SoapServer
from tests.hypervisors.vsphere.soapwords import fault, objects, page, text

FIRST, NEXT = "RetrievePropertiesEx", "ContinueRetrievePropertiesEx"
WANTED = {"VirtualMachine": ("name", "runtime.novel")}
EXPIRED = fault("NotAuthenticated", "The session is not authenticated.")


def names(*numbers: int) -> str:
    return objects({f"vm-{n}": text("name", f"n{n}") for n in numbers})


def read(server: SoapServer, *answers: Answer, more: tuple[Answer, ...] = ()) -> list[RawObject]:
    server.says(FIRST, *answers)
    server.says(NEXT, *more)
    return list(server.client().read(WANTED))


def moids(found: list[RawObject]) -> list[str]:
    return [one.moid for one in found]


def test_one_view_is_made_for_all_kinds_and_destroyed_when_the_reading_ends() -> None:
    with SoapServer() as server:
        read(server, page(names(1)))
        assert server.called.count("CreateContainerView") == 1
        assert server.called[-1] == "DestroyView"
        [asked] = server.bodies[FIRST]
    assert b"<maxObjects>500</maxObjects>" in asked
    assert b"<skip>true</skip>" in asked
    assert b"<pathSet>name</pathSet><pathSet>runtime.novel</pathSet>" in asked


def test_the_view_is_destroyed_also_when_the_reading_is_left_or_fails() -> None:
    with SoapServer() as server:
        server.says(FIRST, page(names(1, 2)))
        reading = server.client().read(WANTED)
        next(reading)
        del reading
        assert server.called[-1] == "DestroyView"
        with pytest.raises(HypervisorError):
            read(server, page(names(1))[:-40])
        assert server.called[-1] == "DestroyView"


def test_the_token_is_followed_until_there_is_none() -> None:
    with SoapServer() as server:
        found = read(
            server,
            page(names(1, 2), "t&1"),
            more=(page(names(3), "t2", NEXT), page(names(4), None, NEXT)),
        )
        assert b"<token>t&amp;1</token>" in server.bodies[NEXT][0]
        assert b"<token>t2</token>" in server.bodies[NEXT][1]
    assert moids(found) == ["vm-1", "vm-2", "vm-3", "vm-4"]


def test_c6_an_object_that_is_on_two_pages_is_read_once() -> None:
    with SoapServer() as server:
        found = read(server, page(names(1, 2), "t"), more=(page(names(2, 3), None, NEXT),))
    assert moids(found) == ["vm-1", "vm-2", "vm-3"]


def test_s4_pages_without_end_and_without_news_are_given_up() -> None:
    with SoapServer() as server:
        with pytest.raises(HypervisorError, match="without news"):
            read(server, page(names(1), "t"), more=(page(names(1), "t", NEXT),))
        assert server.called.count(NEXT) < 20


@pytest.mark.parametrize("is_first", [True, False])
def test_c3_a_page_lost_on_the_way_fails_the_reading_and_is_never_a_shorter_listing(
    is_first: bool,
) -> None:
    lost = page(names(3), None, NEXT)[:-30]
    first = lost if is_first else page(names(1, 2), "t")
    with SoapServer() as server, pytest.raises(Unreachable, match="cut off"):
        read(server, first, more=(lost,))


def test_a_path_that_the_release_does_not_know_is_left_out_and_missing_in_every_object() -> None:
    unknown = fault("InvalidProperty", "", "<name>runtime.novel</name>")
    with SoapServer() as server:
        found = read(server, unknown, page(names(1, 2)))
        assert [b"runtime.novel" in body for body in server.bodies[FIRST]] == [True, False]
    assert [(one.values, one.missing) for one in found] == [
        ({"name": "n1"}, {"runtime.novel": "InvalidProperty"}),
        ({"name": "n2"}, {"runtime.novel": "InvalidProperty"}),
    ]


def test_an_unknown_path_named_by_its_end_alone_is_found() -> None:
    with SoapServer() as server:
        found = read(server, fault("InvalidProperty", "", "<name>novel</name>"), page(names(1)))
    assert found[0].missing == {"runtime.novel": "InvalidProperty"}


def test_an_unknown_path_that_nobody_asked_for_is_an_error() -> None:
    with SoapServer() as server, pytest.raises(HypervisorError, match="InvalidProperty"):
        read(server, fault("InvalidProperty", "", "<name>what</name>"))


def test_p10_an_expired_session_is_begun_anew_once_and_nothing_is_read_twice() -> None:
    with SoapServer() as server:
        found = read(
            server,
            page(names(1, 2), "t"),
            page(names(1, 2), "t"),
            more=(EXPIRED, page(names(3), None, NEXT)),
        )
        assert server.called.count("Login") == 2
        assert server.called.count("CreateContainerView") == 2
    assert moids(found) == ["vm-1", "vm-2", "vm-3"]


def test_p10_a_session_that_expires_again_and_again_is_an_error() -> None:
    with SoapServer() as server:
        with pytest.raises(AccessDenied, match="ended again"):
            read(server, EXPIRED)
        assert server.called.count("Login") == 2


def test_p10_a_view_that_is_gone_means_a_session_that_is() -> None:
    gone = fault("ManagedObjectNotFound", "", '<obj type="ContainerView">view-1</obj>')
    with SoapServer() as server:
        assert moids(read(server, gone, page(names(1)))) == ["vm-1"]
        assert server.called.count("Login") == 2


# Some objects -----------------------------------------------------------------------------------


def some(server: SoapServer, *numbers: int) -> list[RawObject]:
    return list(server.client().read_of("VirtualMachine", [f"vm-{n}" for n in numbers], ["name"]))


def _existing(*alive: int) -> Any:
    """A server that refuses the whole call when one of the objects is gone, as old ones do."""

    def answer(handler: Any) -> None:
        body = handler.server_body
        asked = [n for n in range(1, 20) if f">vm-{n}<".encode() in body]
        if set(asked) <= set(alive):
            handler.answer(200, page(names(*asked)))
        else:
            gone = next(n for n in asked if n not in alive)
            inside = f'<obj type="VirtualMachine">vm-{gone}</obj>'
            handler.answer(500, fault("ManagedObjectNotFound", "", inside))

    return answer


def test_an_object_that_vanished_is_left_out_and_the_others_are_read() -> None:
    with SoapServer() as server:
        server.says(FIRST, _existing(1, 2, 4, 5, 7))
        found = some(server, 1, 2, 3, 4, 5, 6, 7)
    assert moids(found) == ["vm-1", "vm-2", "vm-4", "vm-5", "vm-7"]


def test_when_all_have_vanished_nothing_is_read_and_nothing_fails() -> None:
    with SoapServer() as server:
        server.says(FIRST, _existing())
        assert some(server, 1, 2, 3) == []


def test_the_server_is_asked_to_leave_out_what_is_gone() -> None:
    with SoapServer() as server:
        server.says(FIRST, page(names(1)))
        some(server, 1, 2)
        [asked] = server.bodies[FIRST]
    assert b"<reportMissingObjectsInResults>true<" in asked


def test_many_objects_are_asked_for_in_portions() -> None:
    with SoapServer() as server:
        server.says(FIRST, page(names()))
        assert some(server, *range(1201)) == []
        sizes = [body.count(b"<objectSet>") for body in server.bodies[FIRST]]
    assert sizes == [500, 500, 201]


def test_p10_some_objects_are_read_in_a_new_session_when_the_old_one_expired() -> None:
    with SoapServer() as server:
        server.says(FIRST, EXPIRED, page(names(1)))
        assert moids(some(server, 1)) == ["vm-1"]
        assert server.called.count("Login") == 2


# The wire ---------------------------------------------------------------------------------------


def test_a_packed_answer_is_unpacked() -> None:
    packed = gzip.compress(page(names(1, 2)))

    def answer(handler: Any) -> None:
        handler.answer(200, packed, Content_Encoding="gzip")

    with SoapServer() as server:
        assert moids(read(server, answer)) == ["vm-1", "vm-2"]
        assert server.headers[-2]["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("cut", [10, 60, -4])
def test_c3_a_packed_answer_that_was_cut_is_an_error(cut: int) -> None:
    packed = gzip.compress(page(names(1, 2)))[:cut]

    def answer(handler: Any) -> None:
        handler.answer(200, packed, Content_Encoding="gzip")

    with SoapServer() as server, pytest.raises(HypervisorError, match=r"cut off|SOAP|unpacked"):
        read(server, answer)


def test_b10_a_packed_answer_that_unfolds_without_end_ends_in_an_error() -> None:
    packed = gzip.compress(page(objects({"vm-1": text("name", "x" * 50_000_000)})))

    def answer(handler: Any) -> None:
        handler.answer(200, packed, Content_Encoding="gzip")

    with SoapServer() as server, pytest.raises(HypervisorError, match="larger than anything"):
        read(server, answer)


def test_every_request_carries_the_session_and_the_newest_common_release() -> None:
    with SoapServer() as server:
        read(server, page(names(1)))
        first, last = server.headers[0], server.headers[-2]
    assert SOAP_SESSION not in first.get("Cookie", "")
    assert SOAP_SESSION in last["Cookie"]
    assert last["SOAPAction"].strip('"') == "urn:vim25/8.0.3.0"


def test_a_proxy_that_answers_for_the_server_is_named() -> None:
    html = b"<html><body><h1>502</h1></body></html>"
    with SoapServer() as server:
        client = server.client()
        for answer, words in (((502, html), "HTTP 502"), (html, "speaks no SOAP")):
            server.says(FIRST, answer)
            with pytest.raises(HypervisorError, match=words):
                list(client.read(WANTED))


def test_p11_a_server_that_hangs_up_is_named() -> None:
    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.close()

    with SoapServer() as server, pytest.raises(Unreachable):
        read(server, hang_up)


def test_s4_a_server_that_trickles_is_given_up_at_the_deadline() -> None:
    """Each piece comes in time, the whole never would."""

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000000")
        handler.end_headers()
        piece = page(names(1))[:-60] + b" " * 200_000
        for _ in range(400):
            handler.wfile.write(piece)
            piece = b" " * 140_000

    with SoapServer() as server:
        client: Client = server.client()
        client._session.stub.seconds = 0.0
        server.says(FIRST, trickle)
        with pytest.raises(Unreachable, match="no answer came in time"):
            list(client.read(WANTED))


# Sending ahead ----------------------------------------------------------------------------------


def test_the_next_page_is_asked_for_while_this_one_is_read_and_once() -> None:
    with SoapServer() as server:
        server.says(FIRST, page(names(1, 2), "t"))
        server.says(NEXT, page(names(3), None, NEXT))
        reading = server.client().read(WANTED)
        next(reading)
        wait_until(lambda: NEXT in server.called, 10, "the next page is asked for")
        assert moids(list(reading)) == ["vm-2", "vm-3"]
        assert server.called.count(NEXT) == 1


def test_the_next_portion_is_asked_for_while_this_one_is_read_and_once() -> None:
    with SoapServer() as server:
        server.says(FIRST, page(names(1)), page(names(600)))
        reading = server.client().read_of(
            "VirtualMachine", [f"vm-{n}" for n in range(900)], ["name"]
        )
        next(reading)
        wait_until(lambda: server.called.count(FIRST) == 2, 10, "the next portion is asked for")
        assert moids(list(reading)) == ["vm-600"]
        assert server.called.count(FIRST) == 2


def test_a_failure_of_what_was_sent_ahead_is_raised_where_it_is_needed() -> None:
    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.close()

    with SoapServer() as server:
        server.says(FIRST, page(names(1, 2), "t"))
        server.says(NEXT, hang_up)
        reading = server.client().read(WANTED)
        assert moids([next(reading), next(reading)]) == ["vm-1", "vm-2"]
        with pytest.raises(Unreachable):
            next(reading)
        assert server.called.count(NEXT) == 1


def test_a_path_that_is_unknown_is_asked_for_once_in_a_session() -> None:
    unknown = fault("InvalidProperty", "", "<name>runtime.novel</name>")
    with SoapServer() as server:
        server.says(FIRST, unknown, page(names(1)))
        client = server.client()
        for _ in range(2):
            [found] = client.read(WANTED)
            assert found.missing == {"runtime.novel": "InvalidProperty"}
        assert [b"runtime.novel" in body for body in server.bodies[FIRST]] == [True, False, False]
