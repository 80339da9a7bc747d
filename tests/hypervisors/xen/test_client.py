"""Login, trust, one clear line for each thing that goes wrong, and no call that is sent twice."""

from __future__ import annotations

import hashlib
import socket
import ssl
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from snapaudit.errors import (
    AccessDenied,
    Gone,
    HypervisorError,
    MissingSdk,
    Unreachable,
    UsageError,
)
from snapaudit.hypervisors.xen import reads
from snapaudit.hypervisors.xen.client import Client, NotAllowed, sdk
from snapaudit.model.endpoint import Account, Tls
from snapaudit.trust import WrongCertificate
from tests.beds.xapi.deeds import Fault
from tests.beds.xapi.office import User
from tests.beds.xapi.server import XapiBed
from tests.canaries import REFUSED
from tests.hypervisors.xen.visiting import PASSWORD, client, collected, endpoint

SHORT = timedelta(seconds=1)


def line(work: Callable[[], object], kind: type[Exception] = HypervisorError) -> str:
    """The message of the error that it raises: one line that names the endpoint."""
    with pytest.raises(kind) as caught:
        work()
    text = str(caught.value)
    assert "\n" not in text
    return text


# The package of the vendor ------------------------------------------------------------------------


def test_the_unmodified_package_talks_to_the_bed(bed: XapiBed) -> None:
    bed.world.snapshot(bed.world.vm("web"), "before")
    context = ssl.create_default_context(cafile=str(bed.ca_file))
    import xmlrpc.client

    session: Any = sdk().Session(bed.url, transport=xmlrpc.client.SafeTransport(context=context))
    session.login_with_password("root", PASSWORD, "1.0", "test")
    try:
        names = {each["name_label"] for each in session.xenapi.VM.get_all_records().values()}
        task = session.xenapi.Async.VM.destroy(
            session.xenapi.VM.get_by_uuid(bed.world.vm("other", running=False))
        )
        done = session.xenapi.task.get_record(task)
        with pytest.raises(sdk().Failure) as caught:
            session.xenapi.VM.get_by_uuid("nobody")
    finally:
        session.xenapi.session.logout()
        session("close")()
    assert names == {"Control domain on host-1", "web", "before"}
    assert done["status"] == "success"
    assert caught.value.details[0] == "UUID_INVALID"


def test_a_session_of_one_language_is_good_in_the_other(bed: XapiBed) -> None:
    read = client(bed)
    assert dict(read.rows("pool")).keys() == {bed.world.pool}
    assert read.ask("VM.get_by_uuid", bed.world.vm("web"))
    assert bed.spoken["/jsonrpc"] == 1
    read.close()


def test_a_missing_package_ends_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "XenAPI", None)
    assert "snapaudit[xen]" in line(sdk, MissingSdk)


def test_the_session_is_always_ended(bed: XapiBed) -> None:
    bed.world.vm("web")
    collected(bed)
    assert bed.office.sessions == {}
    bed.office.faults["VDI.get_all_records"] = [Fault("INTERNAL_ERROR", "no")]
    line(lambda: collected(bed))
    assert bed.office.sessions == {}


# One line each ------------------------------------------------------------------------------------


def test_a_wrong_password(bed: XapiBed) -> None:
    wrong = Client(endpoint(bed), Account(username="root"), REFUSED)
    text = line(wrong.log_in, AccessDenied)
    assert "user name or password is refused" in text
    assert text.startswith("pool1: https://localhost")
    assert REFUSED not in text


def test_a_login_that_is_not_configured(bed: XapiBed) -> None:
    assert "`username`" in line(Client(endpoint(bed), Account(), None).log_in, AccessDenied)


def test_a_wrong_certificate_sends_nothing(bed: XapiBed) -> None:
    text = line(lambda: client(bed, tls=Tls()), WrongCertificate)
    assert "the certificate is refused" in text
    assert "fingerprint" in text
    assert not bed.counts


def test_a_pinned_certificate_is_enough_and_another_one_is_not(bed: XapiBed) -> None:
    right = hashlib.sha256(bed.certificate).hexdigest()
    read = client(bed, tls=Tls(fingerprint=f"sha256:{right}"))
    assert read.is_verified
    read.close()
    bed.counts.clear()
    text = line(lambda: client(bed, tls=Tls(fingerprint=f"sha256:{'0' * 64}")), WrongCertificate)
    assert right in text
    assert not bed.counts


def test_grd_35_without_verification_it_may_be_audited_only(bed: XapiBed) -> None:
    bed.world.vm("web")
    assert collected(bed, tls=Tls(verify=False)).connection_verified is False
    assert collected(bed).connection_verified is True


@pytest.mark.parametrize(
    "url",
    ["http://xcp1", "xcp1", "https://xcp1/RPC2", f"https://root:{REFUSED}@xcp1", "https://x:y"],
    ids=["scheme", "none", "path", "password", "port"],
)
def test_a_url_that_is_none_of_a_pool(bed: XapiBed, url: str) -> None:
    text = line(lambda: client(bed, url=url), UsageError)
    assert REFUSED not in text


@pytest.mark.parametrize("fingerprint", ["sha256:12", "md5", "sha256:" + "g" * 64])
def test_a_fingerprint_that_is_none(bed: XapiBed, fingerprint: str) -> None:
    assert "64 hex" in line(lambda: client(bed, tls=Tls(fingerprint=fingerprint)), UsageError)


def test_an_authority_that_cannot_be_read(bed: XapiBed) -> None:
    line(lambda: client(bed, tls=Tls(ca_file="/nowhere.pem")), UsageError)


def test_nothing_listens(bed: XapiBed) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"https://localhost:{taken.getsockname()[1]}"
        assert "nothing listens" in line(lambda: client(bed, url=url), Unreachable)


def test_p11_a_server_that_is_silent_is_given_up(bed: XapiBed) -> None:
    bed.trouble.silent.add("session.login_with_password")
    assert "no answer in time" in line(lambda: client(bed, deadline=SHORT), Unreachable)


@pytest.mark.parametrize("is_json", [True, False])
@pytest.mark.parametrize("trouble", ["cut", "unheard", "silent"])
def test_p11_an_answer_that_breaks_off_is_no_answer(
    bed: XapiBed, trouble: str, is_json: bool
) -> None:
    bed.world.vm("web")
    getattr(bed.trouble, trouble).add("VM.get_all_records")
    options = {"json": is_json}
    line(lambda: collected(bed, deadline=SHORT, options=options), Unreachable)
    assert bed.counts["VM.get_all_records"] == 1


def test_something_else_answers_there(bed: XapiBed) -> None:
    bed.trouble.garbage = True
    assert "not as a XAPI does" in line(lambda: client(bed), Unreachable)


def test_a_pool_that_is_still_starting(bed: XapiBed) -> None:
    bed.office.faults["session.login_with_password"] = [Fault("HOST_STILL_BOOTING")]
    assert "still starting" in line(lambda: client(bed), Unreachable)


def test_s4_what_a_server_says_stays_one_line(bed: XapiBed) -> None:
    said = "first\nsecond\r\n" + "x" * 5000
    bed.office.faults["session.login_with_password"] = [Fault("ODD", said)]
    text = line(lambda: client(bed))
    assert "first second" in text
    assert len(text) < 1000


def test_an_object_that_is_gone_is_gone(bed: XapiBed) -> None:
    read = client(bed)
    line(lambda: read.ask("VM.get_record", "OpaqueRef:nothing"), Gone)
    read.close()


# Members and coordinators -------------------------------------------------------------------------


def test_a_member_names_its_coordinator_and_is_not_followed_unasked(bed: XapiBed) -> None:
    bed.office.slave_of = "10.0.0.7"
    text = line(lambda: client(bed), Unreachable)
    assert "10.0.0.7" in text
    assert "follow_master: true" in text
    assert bed.counts["session.login_with_password"] == 1


def test_a_member_is_left_for_its_coordinator_once(bed: XapiBed, certificates: Any) -> None:
    with XapiBed(certificates) as member:
        member.office.slave_of = "localhost"
        bed.world.vm("web")
        found = _leading_to(member, bed)
        assert found == {"web"}
        assert member.counts.total() == 1


def _leading_to(member: XapiBed, bed: XapiBed) -> set[str]:
    """A coordinator answers at the same port of another host; here, at another port of this one."""
    original = Client._other_coordinator

    def elsewhere(self: Client, error: Any) -> Any:
        named = original(self, error)
        return type(named)(named.host, bed.port)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "_other_coordinator", elsewhere)
        found = collected(member, options={"follow_master": True})
    return {vm.name for vm in found.virtual_machines}


def test_two_members_that_name_each_other_are_followed_no_further(bed: XapiBed) -> None:
    bed.office.slave_of = "localhost"
    text = line(lambda: client(bed, options={"follow_master": True}), Unreachable)
    assert "in the middle of a change of its coordinator" in text
    assert bed.counts["session.login_with_password"] == 2


def test_a_coordinator_that_hands_over_while_it_is_read(bed: XapiBed) -> None:
    bed.office.faults["VM.get_all_records"] = [Fault("HOST_IS_SLAVE", "10.0.0.8")]
    text = line(lambda: collected(bed, options={"follow_master": True}), Unreachable)
    assert "not the coordinator" in text


@pytest.mark.parametrize("told", ["", "evil.example/@x", "host name", "a" * 300, "-x"])
def test_s4_a_coordinator_whose_name_is_none_is_not_followed(bed: XapiBed, told: str) -> None:
    bed.office.slave_of = told
    line(lambda: client(bed, options={"follow_master": True}), Unreachable)
    assert bed.counts["session.login_with_password"] == 1


# What is sent -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", ["VM.destroy", "Async.VM.destroy", "VDI.destroy", "VM.hard_shutdown", "SR.scan"]
)
def test_grd_37_a_reading_session_refuses_what_is_not_on_its_list(
    bed: XapiBed, method: str
) -> None:
    read = client(bed)
    bed.counts.clear()
    line(lambda: read.ask(method, "OpaqueRef:1"), NotAllowed)
    line(lambda: list(read.rows("task")), NotAllowed)
    assert not bed.counts
    read.close()


def test_grd_37_nothing_on_the_list_changes_anything() -> None:
    calls = {method.rpartition(".")[2] for method in reads.READS}
    assert calls == {
        "login_with_password", "logout", "get_servertime", "get_rbac_permissions",
        "get_is_local_superuser", "get_all_records", "get_all_records_where", "get_record",
        "get_by_uuid", "get_uuid",
    }  # fmt: skip


def test_grd_24_a_session_that_ended_is_not_begun_again_by_itself(bed: XapiBed) -> None:
    read = client(bed)
    bed.office.sessions.clear()
    assert "the session ended" in line(lambda: read.ask("VM.get_record", "x"), Unreachable)
    assert bed.counts["session.login_with_password"] == 1
    assert bed.counts["VM.get_record"] == 1
    read.close()


def test_grd_24_a_kept_connection_that_broke_is_not_asked_twice(bed: XapiBed) -> None:
    read = client(bed)
    bed.trouble.unheard.add("VM.get_record")
    line(lambda: read.ask("VM.get_record", "x"), Unreachable)
    assert bed.counts["VM.get_record"] == 1
    read.close()


def test_a_server_without_json_is_read_in_xml(bed: XapiBed) -> None:
    bed.world.snapshot(bed.world.vm("web"), "before")
    by_json = collected(bed)
    bed.trouble.no_json = True
    by_xml = collected(bed)
    assert by_xml.virtual_machines == by_json.virtual_machines
    assert by_xml.datastores == by_json.datastores
    assert bed.spoken["/RPC2"] > 7


def test_a_role_that_may_only_read_is_enough_for_an_audit(bed: XapiBed) -> None:
    bed.office.users["audit"] = User(PASSWORD, "read-only")
    bed.world.snapshot(bed.world.vm("web"), "before")
    assert collected(bed, user="audit").coverage.reason is None


def test_grd_32_a_document_that_declares_a_type_is_refused(bed: XapiBed) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><methodResponse/>'
    bed.canned["/RPC2", "session.login_with_password"] = bomb
    line(lambda: client(bed), Unreachable)
