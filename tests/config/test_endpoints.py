from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path

import pytest

from snapaudit.config.settings import ConfiguredSecret
from snapaudit.model.endpoint import Account, Endpoint, SecretSource, Tls
from tests.config.written import endpoint_fault, fault, settings

_FULL = """\
version: 1
endpoints:
  - name: vc-berlin
    kind: vsphere
    url: https://vcenter.example.org
    username: audit@vsphere.local
    password: {env: VC_BERLIN_PASSWORD}
    tls: {ca_file: site-ca.pem}
    enforce_as: {username: clean@vsphere.local, password: {env: VC_CLEAN_PASSWORD}}
    transport: sso
    deadline: 90s
    lab: true
  - {name: kvm1, kind: libvirt, url: "qemu+ssh://audit@kvm1/system", images: never,
     refresh_pools: true}
"""


def test_every_key_of_an_endpoint_is_read(tmp_path: Path) -> None:
    first, _ = settings(tmp_path, _FULL).endpoints
    password = first.account.password
    assert isinstance(password, ConfiguredSecret)
    assert (password.source, password.name) == (SecretSource.ENV, "VC_BERLIN_PASSWORD")
    assert (password.place.line, password.place.column) == (7, 15)
    assert first.account.username == "audit@vsphere.local"
    assert first.enforce_as is not None
    assert first.enforce_as.username == "clean@vsphere.local"
    assert first.tls == Tls(ca_file=str(tmp_path / "site-ca.pem"))
    assert (first.transport, first.deadline, first.lab) == ("sso", timedelta(seconds=90), True)


def test_options_of_the_kind_stand_beside_the_others(tmp_path: Path) -> None:
    _, second = settings(tmp_path, _FULL).endpoints
    assert second.options == {"images": "never", "refresh_pools": True}


def test_defaults_are_those_of_the_model(tmp_path: Path) -> None:
    text = "{version: 1, endpoints: [{name: kvm1, kind: libvirt, url: 'qemu:///system'}]}"
    assert settings(tmp_path, text).endpoints == (
        Endpoint(name="kvm1", kind="libvirt", url="qemu:///system", account=Account()),
    )


def test_endpoint_can_be_sent_to_another_process(tmp_path: Path) -> None:
    for endpoint in settings(tmp_path, _FULL).endpoints:
        assert pickle.loads(pickle.dumps(endpoint)) == endpoint  # noqa: S301 - our own bytes


@pytest.mark.parametrize("nothing", ["[]", ""])
def test_endpoints_may_be_none(tmp_path: Path, nothing: str) -> None:
    assert settings(tmp_path, f"version: 1\nendpoints: {nothing}\n").endpoints == ()


def test_unknown_kind_lists_the_installed_ones(tmp_path: Path) -> None:
    text = "version: 1\nendpoints: [{name: a, kind: ▶libvrt, url: 'qemu:///system'}]\n"
    said = fault(tmp_path, text)
    assert said == (
        "no hypervisor of kind 'libvrt' is installed; there are: hyperv, libvirt, vsphere, xen "
        "(did you mean 'libvirt'?)"
    )


@pytest.mark.parametrize(
    ("word", "kind"),
    [("kvm", "libvirt"), ("ESXi", "vsphere"), ("hyper-v", "hyperv"), ("xcp-ng", "xen")],
)
def test_name_that_people_use_for_a_platform_leads_to_its_kind(
    tmp_path: Path, word: str, kind: str
) -> None:
    text = f"version: 1\nendpoints: [{{name: a, kind: ▶{word}, url: 'https://x'}}]\n"
    assert fault(tmp_path, text).endswith(f"(did you mean '{kind}'?)")


@pytest.mark.parametrize("missing", ["name", "kind", "url"])
def test_missing_key_is_told_at_the_endpoint(tmp_path: Path, missing: str) -> None:
    keys = {"name": "a", "kind": "xen", "url": "https://xcp1"}
    entry = ", ".join(f"{key}: '{value}'" for key, value in keys.items() if key != missing)
    said = fault(tmp_path, f"version: 1\nendpoints:\n  - ▶{{{entry}}}\n")
    assert said == f"the key '{missing}' is missing"


def test_misspelt_kind_is_told_as_an_unknown_key(tmp_path: Path) -> None:
    text = "version: 1\nendpoints: [{name: a, ▶knd: xen, images: never, url: 'https://x'}]\n"
    assert fault(tmp_path, text).endswith("(did you mean 'kind'?)")


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    assert endpoint_fault(tmp_path, "▶usrname: a").endswith("(did you mean 'username'?)")


def test_option_of_another_kind_says_whose_it_is(tmp_path: Path) -> None:
    said = endpoint_fault(tmp_path, "▶images: never")
    assert said == "the key 'images' belongs to kind libvirt, not to vsphere"


def test_second_endpoint_of_a_name_is_refused(tmp_path: Path) -> None:
    text = """\
    version: 1
    endpoints:
      - {name: kvm1, kind: libvirt, url: "qemu:///system"}
      - {kind: libvirt, url: "qemu:///session", name: ▶kvm1}
    """
    assert fault(tmp_path, text) == "there is already an endpoint named 'kvm1'"


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("deadline: ▶120", "expected a quantity with its unit, like 3d or 12h, found 120"),
        ("deadline: ▶120x", "'120x' is no duration; write a number with s, m, h, d or w, like 3d"),
        ("deadline: ▶0s", "a deadline of no time would never get an answer"),
        ("lab: ▶yes", "expected true or false, found 'yes'"),
        ("username: ▶12", "expected text, found 12"),
        ("transport: ▶[ntlm]", "expected text, found a list"),
        ("enforce_as: ▶clean", "expected a mapping, found 'clean'"),
        ("enforce_as: ▶{}", "the key 'username' is missing"),
    ],
)
def test_wrong_value_is_told_at_its_place(tmp_path: Path, marked: str, said: str) -> None:
    assert endpoint_fault(tmp_path, marked) == said


def test_option_that_is_neither_text_nor_a_switch_is_refused(tmp_path: Path) -> None:
    text = "version: 1\nendpoints: [{name: a, kind: libvirt, url: 'qemu:///system', images: ▶1}]\n"
    assert fault(tmp_path, text) == "expected text, found 1"


@pytest.mark.parametrize("entry", ["▶kvm1", "▶[a]", "▶12"])
def test_endpoint_that_is_no_mapping_is_refused(tmp_path: Path, entry: str) -> None:
    said = fault(tmp_path, f"version: 1\nendpoints:\n  - {entry}\n")
    assert said.startswith("expected a mapping, found ")
