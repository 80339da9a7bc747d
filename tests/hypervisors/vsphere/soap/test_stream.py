from __future__ import annotations

import pytest

from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.hypervisors.vsphere.soap.fault import Cut, Malformed, SoapFault
from snapaudit.hypervisors.vsphere.soap.flat import FlatReader
from snapaudit.hypervisors.vsphere.soap.page import PageReader
from tests.hypervisors.vsphere.soapwords import envelope, fault, missing, objects, page, text

Reader = type[FlatReader] | type[PageReader]
both = pytest.mark.parametrize("reader", [FlatReader, PageReader])
MORE = "token-1"
PAGE = page(objects({"vm-1": text("name", "one"), "vm-2": text("name", "two")}), MORE)


def read(kind: Reader, answer: bytes, size: int = 2**16) -> tuple[list[RawObject], str | None]:
    reader, found = kind(), list[RawObject]()
    for at in range(0, len(answer), size):
        reader.feed(answer[at : at + size])
        found += reader.take()
    reader.close()
    return found + reader.take(), reader.token


@both
@pytest.mark.parametrize("size", [1, 7, 64, 2**16])
def test_a_page_gives_its_objects_and_token_however_it_is_cut_on_the_way(
    reader: Reader, size: int
) -> None:
    found, token = read(reader, PAGE, size)
    assert [(one.kind, one.moid, one.values) for one in found] == [
        ("VirtualMachine", "vm-1", {"name": "one"}),
        ("VirtualMachine", "vm-2", {"name": "two"}),
    ]
    assert token == MORE


@both
@pytest.mark.parametrize("cut", range(0, len(PAGE), 23))
def test_c3_an_answer_cut_anywhere_is_malformed_and_never_a_short_listing(
    reader: Reader, cut: int
) -> None:
    with pytest.raises(Malformed):
        read(reader, PAGE[:cut])


@both
def test_an_empty_listing_is_one_without_objects(reader: Reader) -> None:
    assert read(reader, page("")) == ([], None)


@both
@pytest.mark.parametrize(
    "answer",
    [
        b"<html><body>502 Bad Gateway</body></html>",
        b"<!DOCTYPE html><html><head><title>Login</title></head></html>",
        b'{"error": "not found"}',
        b"\xff\xfe\x00\x00",
    ],
)
def test_what_speaks_no_soap_is_named_as_such(reader: Reader, answer: bytes) -> None:
    with pytest.raises(Malformed, match=r"no SOAP|document type"):
        read(reader, answer)


@both
@pytest.mark.parametrize("length", [0, 3, 9])
def test_c3_an_answer_that_ends_before_it_is_soap_was_cut_and_names_no_other_server(
    reader: Reader, length: int
) -> None:
    with pytest.raises(Cut):
        read(reader, PAGE[:length])


@both
def test_b10_a_document_type_is_refused_wherever_its_entities_would_lead(reader: Reader) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>'
    with pytest.raises(Malformed, match="document type"):
        read(reader, bomb + PAGE.partition(b"\n")[2])


@both
def test_b13_nesting_and_length_have_a_limit(reader: Reader) -> None:
    deep = "<a>" * 1_500_000
    with pytest.raises(Malformed, match="larger than anything"):
        read(reader, page(f"<objects>{deep}"))


@both
def test_b13_a_text_without_end_has_a_limit(reader: Reader) -> None:
    with pytest.raises(Malformed, match="larger than anything"):
        read(reader, page(objects({"vm-1": text("name", "x" * 5_000_000)})))


@both
def test_a_fault_is_raised_with_its_type_words_and_what_it_is_about(reader: Reader) -> None:
    answer = fault("InvalidProperty", "  no such\nproperty ", "<name>config.novel</name>")
    with pytest.raises(SoapFault) as raised:
        read(reader, answer)
    assert raised.value.name == "InvalidProperty"
    assert raised.value.message == "no such property"
    assert raised.value.about == "config.novel"


@both
def test_a_fault_of_a_type_nobody_knows_keeps_its_name(reader: Reader) -> None:
    with pytest.raises(SoapFault) as raised:
        read(reader, fault("EntirelyNewFault", "of release 12"))
    assert str(raised.value) == "EntirelyNewFault: of release 12"


@both
def test_a_fault_without_detail_is_one_all_the_same(reader: Reader) -> None:
    with pytest.raises(SoapFault, match="out of order"):
        read(reader, envelope("<Fault><faultstring>out of order</faultstring></Fault>"))


@both
def test_c4_what_may_not_be_read_is_missing_with_fault_and_privilege(reader: Reader) -> None:
    held = "<privilegeId>System.Read</privilegeId>"
    inside = text("name", "a") + missing("layoutEx", "NoPermission", held)
    [found], _ = read(reader, page(objects({"vm-1": inside + missing("x.y", "InvalidProperty")})))
    assert found.values == {"name": "a"}
    assert found.missing == {"layoutEx": "NoPermission: System.Read", "x.y": "InvalidProperty"}


@both
def test_p10_an_expired_session_that_shows_only_in_what_is_missing_is_a_fault(
    reader: Reader,
) -> None:
    inside = missing("name", "NotAuthenticated", "<privilegeId>System.View</privilegeId>")
    with pytest.raises(SoapFault, match="NotAuthenticated"):
        read(reader, page(objects({"vm-1": inside})))


@both
def test_a_header_and_elements_that_nobody_knows_are_passed_over(reader: Reader) -> None:
    answer = PAGE.replace(
        b"<soapenv:Body>", b"<soapenv:Header><op><x>1</x></op></soapenv:Header><soapenv:Body>"
    ).replace(b"<token>", b"<novel><objects/><token>no</token></novel><token>")
    found, token = read(reader, answer)
    assert [one.moid for one in found if one.moid] == ["vm-1", "vm-2"]
    assert token == MORE


@both
def test_an_object_without_a_name_is_malformed(reader: Reader) -> None:
    with pytest.raises(Malformed):
        read(reader, page("<objects><propSet/></objects>"))
