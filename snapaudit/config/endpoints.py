"""Endpoints: the hypervisor managers to read, with the options of their own kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.config.accounts import acting_account, password_of, tls, url
from snapaudit.errors import InputError
from snapaudit.model.endpoint import Account, Endpoint, Tls

REQUIRED = ("name", "kind", "url")
_ALSO_CALLED = {
    **dict.fromkeys(("kvm", "qemu"), "libvirt"),
    **dict.fromkeys(("vmware", "vcenter", "esx", "esxi"), "vsphere"),
    **dict.fromkeys(("hyper-v", "hyper_v"), "hyperv"),
    **dict.fromkeys(("xenserver", "xcp", "xcp-ng", "xapi"), "xen"),
}
OPTIONAL = ("username", "password", "enforce_as", "tls", "transport", "deadline", "lab", "site")
DEADLINE = timedelta(seconds=120)

OptionsOf = Mapping[str, Collection[str]]


def endpoints(node: Node, folder: Path, options_of: OptionsOf) -> tuple[Endpoint, ...]:
    """The endpoints in the order of the file. A key with nothing below it lists none."""
    if node.value is None:
        return ()
    read: dict[str, Endpoint] = {}
    for item in expect.sequence(node):
        endpoint = _endpoint(item, folder, options_of)
        if endpoint.name in read:
            place = expect.mapping(item)["name"].place
            raise InputError(place, f"there is already an endpoint named {endpoint.name!r}")
        read[endpoint.name] = endpoint
    return tuple(read.values())


def _endpoint(node: Node, folder: Path, options_of: OptionsOf) -> Endpoint:
    kind = _kind(node, options_of)
    found = _known_keys(node, kind, options_of)
    name = expect.line(found["name"])
    username = expect.optional(found, "username", expect.line, None)
    return Endpoint(
        name=name,
        kind=kind,
        url=url(found["url"]),
        account=Account(username=username, password=password_of(found, folder, username, name)),
        enforce_as=expect.optional(
            found, "enforce_as", lambda at: acting_account(at, folder, name), None
        ),
        tls=expect.optional(found, "tls", lambda at: tls(at, folder), Tls()),
        transport=expect.optional(found, "transport", expect.line, None),
        deadline=expect.optional(found, "deadline", _deadline, DEADLINE),
        lab=expect.optional(found, "lab", expect.boolean, False),
        site=expect.optional(found, "site", expect.line, None),
        options=_options(found),
    )


def _kind(node: Node, options_of: OptionsOf) -> str:
    every = (key for options in options_of.values() for key in options)
    found = expect.mapping(node)
    if "kind" not in found:
        expect.mapping(node, (*OPTIONAL, *every), required=REQUIRED, may_hold_secrets=True)
    kind = expect.line(found["kind"])
    if kind not in options_of:
        installed = ", ".join(sorted(options_of)) or "none"
        message = f"no hypervisor of kind {kind!r} is installed; there are: {installed}"
        near = _ALSO_CALLED.get(kind.lower()) or expect.nearest(kind, options_of)
        raise InputError(found["kind"].place, message, nearest=near)
    return kind


def _known_keys(node: Node, kind: str, options_of: OptionsOf) -> dict[str, Node]:
    known = {*REQUIRED, *OPTIONAL, *options_of[kind]}
    for key, child in expect.mapping(node).items():
        owners = _owners(key, options_of)
        if key not in known and owners:
            message = f"the key {key!r} belongs to kind {' and '.join(owners)}, not to {kind}"
            raise InputError(child.key_place, message)
    return expect.mapping(node, known, required=REQUIRED, may_hold_secrets=True)


def _owners(key: str, options_of: OptionsOf) -> list[str]:
    return sorted(kind for kind, options in options_of.items() if key in options)


def _deadline(node: Node) -> timedelta:
    deadline = expect.duration(node)
    if not deadline:
        raise InputError(node.place, "a deadline of no time would never get an answer")
    return deadline


def _options(found: Mapping[str, Node]) -> dict[str, str | bool]:
    own: Iterable[str] = (key for key in found if key not in {*REQUIRED, *OPTIONAL})
    return {key: _option(found[key]) for key in own}


def _option(node: Node) -> str | bool:
    return node.value if isinstance(node.value, bool) else expect.line(node)
