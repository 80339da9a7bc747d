from __future__ import annotations

import pytest

from snapaudit.errors import UsageError
from snapaudit.hypervisors.vsphere.address import Address, parse_address
from tests.canaries import REFUSED


@pytest.mark.parametrize(
    ("url", "address", "told"),
    [
        ("https://vc.example.org", Address("vc.example.org"), "https://vc.example.org"),
        ("https://vc.example.org/", Address("vc.example.org"), "https://vc.example.org"),
        ("https://vc.example.org/sdk/", Address("vc.example.org"), "https://vc.example.org"),
        (
            "https://vc.example.org:8443/sdk",
            Address("vc.example.org", 8443),
            "https://vc.example.org:8443",
        ),
        ("https://[2001:db8::1]:444", Address("2001:db8::1", 444), "https://[2001:db8::1]:444"),
        ("https://192.0.2.7", Address("192.0.2.7"), "https://192.0.2.7"),
    ],
)
def test_an_address_is_host_port_and_nothing_but_the_sdk_path(
    url: str, address: Address, told: str
) -> None:
    assert parse_address(url) == address
    assert str(address) == told


@pytest.mark.parametrize(
    "url",
    [
        "http://vc.example.org",
        "vc.example.org",
        "vsphere://vc.example.org",
        "https://",
        "https://vc.example.org:0",
        "https://vc.example.org:99999",
        "https://vc.example.org/ui",
        "https://vc.example.org/sdk?x=1",
        "https://[2001:db8::1",
    ],
)
def test_any_other_address_is_one_clear_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match=r"https://vcenter\.example\.org"):
        parse_address(url)


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_inv_23_a_password_in_the_url_is_refused_and_not_repeated(scheme: str) -> None:
    url = f"{scheme}://me:{REFUSED}@vc.example.org"
    with pytest.raises(UsageError) as refused:
        parse_address(url)
    assert REFUSED not in str(refused.value)
