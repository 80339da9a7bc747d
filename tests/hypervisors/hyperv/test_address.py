"""Addresses, and ways to a host that are refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from snapaudit.errors import HypervisorError, UsageError
from snapaudit.hypervisors.hyperv import transport
from snapaudit.hypervisors.hyperv.address import parse_address
from snapaudit.model.endpoint import Account, Tls
from tests.hypervisors.hyperv.wires import endpoint


@pytest.mark.parametrize(
    ("url", "whole", "shown"),
    [
        ("https://hv1", "https://hv1:5986/wsman", "https://hv1"),
        ("http://hv1/", "http://hv1:5985/wsman", "http://hv1"),
        ("https://hv1:443/other/", "https://hv1:443/other", "https://hv1:443"),
        ("https://[fe80::1]", "https://[fe80::1]:5986/wsman", "https://[fe80::1]"),
        ("http://10.0.0.1:5985", "http://10.0.0.1:5985/wsman", "http://10.0.0.1"),
        (
            "HTTPS://HV1.example.org",
            "https://hv1.example.org:5986/wsman",
            "https://hv1.example.org",
        ),
    ],
)
def test_a_whole_url_is_built_with_the_port_of_its_scheme(url: str, whole: str, shown: str) -> None:
    assert parse_address(url).url == whole
    assert str(parse_address(url)) == shown


@pytest.mark.parametrize(
    "url",
    [
        "hv1", "ftp://hv1", "https://", "https://hv1:0", "https://hv1:99999", "https://[fe80",
        "https://hv1/wsman?a=b", "https://hv1#x", "https://user:S3cret@hv1", "https://S3cret@hv1",
        "https://hv 1", "https://hv1\n", "https://hv1\x00",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(url)
    assert "\n" not in str(caught.value)
    assert "S3cret" not in str(caught.value)
    assert "https://hv1.example.org" in str(caught.value)


def test_another_node_is_reached_in_the_same_way_and_domain() -> None:
    address = parse_address("https://hv1.corp.example.org:6000/x")
    assert address.of_node("HV2").url == "https://HV2.corp.example.org:6000/x"
    assert address.of_node("HV2.CORP.example.org").host == "HV2.corp.example.org"
    assert parse_address("http://10.0.0.1").of_node("HV2").url == "http://HV2:5985/wsman"


@pytest.mark.parametrize(
    "name",
    ["hv2.evil.example", "evil.example", "10.1.1.1", "a/b", "a@b", "a:1", "", "\u00e4", "a b", "."],
)
def test_a_node_that_leads_our_login_out_of_the_domain_is_refused(name: str) -> None:
    for url in ("https://hv1.corp.example.org", "https://10.0.0.1"):
        with pytest.raises(HypervisorError, match="which is no host of the same domain"):
            parse_address(url).of_node(name)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://hv1", "transport": "basic"}, "basic over http would be read by everybody"),
        ({"url": "http://hv1", "transport": "certificate",
          "options": {"certificate": "/a.pem", "certificate_key": "/a.key"}}, "use an https URL"),
        ({"url": "http://hv1", "tls": Tls(ca_file="/ca.pem")}, "the URL says http"),
        ({"url": "http://hv1", "tls": Tls(verify=False)}, "the URL says http"),
        ({"transport": "basic", "tls": Tls(verify=False)}, "hands the password to whoever answers"),
        ({"url": "https://10.0.0.1", "transport": "kerberos"}, "kerberos knows hosts by name"),
        ({"url": "https://[::1]", "transport": "kerberos"}, "kerberos knows hosts by name"),
        ({"transport": "digest"}, "'digest' is none of kerberos, ntlm, certificate"),
        ({"account": Account()}, "ntlm needs a username and a password"),
        ({"transport": "certificate"}, "certificate_key:, each the full path of a PEM file"),
        ({"transport": "certificate", "options": {"certificate": "a", "certificate_key": "/b"}},
         "full path"),
        ({"transport": "certificate",
          "options": {"certificate": "/no/a.pem", "certificate_key": "/no/a.key"}},
         "certificate: /no/a.pem: it cannot be read"),
        ({"options": {"certificate": "/a.pem"}}, "is for transport: certificate"),
        ({"options": {"session": "ssh"}}, "'ssh' is none of winrs, powershell, jea"),
        ({"options": {"session": "jea"}}, "session jea needs configuration:"),
        ({"options": {"configuration": "x"}}, "is for session powershell or jea"),
        ({"options": {"proxy": "http://u:S3cret@proxy"}}, "without an account"),
        ({"options": {"proxy": "socks5://proxy"}}, "write it like http://proxy.example.org:3128"),
        ({"options": {"proxy": "http://proxy:99999"}}, "write it like http://proxy.example.org"),
        ({"tls": Tls(ca_file="/no/ca.pem")}, "ca_file: /no/ca.pem: it cannot be read"),
        ({"tls": Tls(fingerprint="sha256:12")}, "64 hexadecimal digits"),
    ],
)  # fmt: skip
def test_a_way_that_cannot_or_must_not_be_gone_is_refused(changes: Any, words: str) -> None:
    chosen = endpoint(**{"url": "https://hv1", **changes})
    with pytest.raises(UsageError) as caught:
        transport.wire(chosen, chosen.account, "S3cret word")
    assert words in str(caught.value)
    assert "S3cret" not in str(caught.value)


def test_ntlm_without_a_password_is_refused() -> None:
    chosen = endpoint("https://hv1")
    with pytest.raises(UsageError, match="ntlm needs a username and a password"):
        transport.wire(chosen, chosen.account, None)


def test_inv_23_a_way_does_not_show_its_password() -> None:
    chosen = endpoint("https://hv1")
    assert "S3cret" not in repr(transport.wire(chosen, chosen.account, "S3cret"))


@pytest.mark.parametrize(
    ("changes", "is_verified"),
    [
        ({"url": "https://hv1"}, True),
        ({"url": "https://hv1", "tls": Tls(fingerprint="sha256:" + "0a" * 32)}, True),
        ({"url": "https://hv1", "tls": Tls(verify=False)}, False),
        ({"url": "https://hv1", "tls": Tls(verify=False), "transport": "kerberos"}, False),
        ({"url": "http://hv1"}, False),
        ({"url": "http://hv1", "transport": "credssp"}, False),
        ({"url": "http://hv1", "transport": "kerberos"}, True),
    ],
)
def test_grd_35_only_who_proves_who_it_is_counts_as_verified(
    changes: Any, is_verified: bool
) -> None:
    chosen = endpoint(**changes)
    assert transport.wire(chosen, chosen.account, "x").is_verified is is_verified


def test_a_transport_that_is_not_installed_is_named_with_the_repair() -> None:
    chosen = endpoint("http://hv1.example.org", transport="kerberos")
    pytest.importorskip("winrm")
    try:
        import winrm.vendor.requests_kerberos  # noqa: F401
    except ImportError:
        with pytest.raises(HypervisorError, match=r"pywinrm\[kerberos"):
            next(transport.runner(chosen, chosen.account, None).run("collect", {}))
    else:
        pytest.skip("kerberos is installed here")
