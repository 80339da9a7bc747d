"""Nodes: which hosts belong to an endpoint besides the one that its URL names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from snapaudit.errors import HypervisorError, UsageError
from snapaudit.hypervisors.hyperv.address import Address, parse_address
from snapaudit.hypervisors.hyperv.rows import HostRow
from snapaudit.model.endpoint import Endpoint

AUTO, NONE = "auto", "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Whom to ask, by the name that each node goes by here.

    ``hosts`` maps it to the host name to connect to, ``refused`` to the reason why nobody does.
    """

    hosts: Mapping[str, str]
    refused: Mapping[str, str]


def others(endpoint: Endpoint, host: HostRow) -> Nodes:
    """The other nodes, by the option ``nodes``: those the first host tells of, none, or a list.

    A name that a host told is asked only within the domain of the endpoint's own address, since our
    login goes there; whom a person names is asked as it is written. Raises UsageError for a list
    that has an empty name.
    """
    address = parse_address(endpoint.url)
    chosen = str(endpoint.options.get("nodes", AUTO)).strip()
    if chosen.lower() == NONE:
        return Nodes(hosts={}, refused={})
    is_told = chosen.lower() == AUTO
    named = host.nodes if is_told else _listed(endpoint, chosen)
    own = {label(address.host), label(host.name)}
    found = [name for name in dict.fromkeys(named) if label(name) not in own]
    return _told(found, address) if is_told else Nodes(hosts=_by_label(found), refused={})


def _told(names: Iterable[str], address: Address) -> Nodes:
    hosts, refused = {}, {}
    for name in names:
        try:
            hosts[label(name)] = address.of_node(name).host
        except HypervisorError as error:
            refused[label(name)] = str(error)
    return Nodes(hosts=hosts, refused=refused)


def _by_label(names: Iterable[str]) -> dict[str, str]:
    return {label(name): name for name in names}


def _listed(endpoint: Endpoint, chosen: str) -> Iterable[str]:
    names = [name.strip() for name in chosen.split(",")]
    if not all(names):
        raise UsageError(
            f"endpoint {endpoint.name}: nodes: {chosen!r} is neither auto, nor none, nor a list of "
            "names with commas between them"
        )
    return names


def label(name: str) -> str:
    """What the bare and the full name of a host have in common, in lower case.

    An address, which has no letter in its first part, stays whole.
    """
    first = name.partition(".")[0]
    return name.lower() if first.isdigit() or ":" in name else first.lower()
