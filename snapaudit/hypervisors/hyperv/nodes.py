"""Nodes: which hosts belong to an endpoint besides the one that its URL names."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from snapaudit.errors import UsageError
from snapaudit.hypervisors.hyperv.rows import HostRow
from snapaudit.model.endpoint import Endpoint

AUTO, NONE = "auto", "none"


def first(endpoint: Endpoint) -> str:
    """The host that the endpoint's URL names."""
    return urlsplit(endpoint.url).hostname or endpoint.url


def others(endpoint: Endpoint, host: HostRow) -> tuple[str, ...]:
    """The addresses of the other nodes, by the option ``nodes``.

    ``auto``: those that the first host tells of. A bare name gets the first host's domain, which
    certificates and tickets are made out to. Raises UsageError for a list without a name.
    """
    chosen = str(endpoint.options.get("nodes", AUTO)).strip()
    if chosen.lower() == NONE:
        return ()
    named = host.nodes if chosen.lower() == AUTO else _listed(endpoint, chosen)
    own = {label(first(endpoint)), label(host.name)}
    apart = (name for name in dict.fromkeys(named) if label(name) not in own)
    return tuple(_qualified(name, first(endpoint)) for name in apart)


def _listed(endpoint: Endpoint, chosen: str) -> Iterable[str]:
    names = [name.strip() for name in chosen.split(",")]
    if not all(names):
        raise UsageError(
            f"endpoint {endpoint.name}: nodes: {chosen!r} is neither auto, nor none, nor a list of "
            "names with commas between them"
        )
    return names


def label(name: str) -> str:
    """What two names of one host have in common: the first label in lower case; an address whole.

    A node is listed by its bare name, and asked by its full one.
    """
    return name.lower() if _is_address(name) else name.lower().partition(".")[0]


def _qualified(name: str, like: str) -> str:
    domain = "" if _is_address(like) else like.partition(".")[2]
    is_bare = "." not in name and not _is_address(name)
    return f"{name}.{domain}" if domain and is_bare else name


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
