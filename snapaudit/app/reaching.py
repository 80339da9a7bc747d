"""Is anybody there, and is it the right one? Name, port and certificate, before any password."""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta

from snapaudit.app.certificate import not_after
from snapaudit.model.endpoint import Tls
from snapaudit.model.examination import Peer, Probe, ProbeState

PATIENCE = 10.0
"""Seconds that a port or a handshake may take."""

SOON = timedelta(days=30)
"""A certificate that ends so soon is told."""


def reach(peer: Peer, tls: Tls, now: datetime) -> Iterator[Probe]:
    """Each step of the way as far as it goes: the last probe has failed where it does not."""
    name = _name(peer)
    yield name
    if name.state is ProbeState.FAILED:
        return
    port = _port(peer)
    yield port
    if port.state is not ProbeState.FAILED and peer.is_tls:
        yield from _shown(peer, now) if peer.checks_itself else _tls(peer, tls, now)


def _name(peer: Peer) -> Probe:
    try:
        found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        return Probe(
            name="name",
            state=ProbeState.FAILED,
            sentence=f"{peer.host} has no address: {reason}",
            repair="check the host in url:, and the name servers of this machine",
        )
    addresses = sorted({str(one[4][0]) for one in found})
    said = "an address itself" if addresses == [peer.host] else ", ".join(addresses)
    return Probe(name="name", state=ProbeState.OK, sentence=f"{peer.host} is {said}")


def _port(peer: Peer) -> Probe:
    try:
        with socket.create_connection((peer.host, peer.port), PATIENCE):
            return Probe(name="port", state=ProbeState.OK, sentence=f"port {peer.port} answers")
    except TimeoutError:
        said = f"port {peer.port} does not answer within {PATIENCE:g} s"
        repair = f"let the firewalls between pass this machine to port {peer.port}"
    except ConnectionRefusedError:
        said = f"nothing listens on port {peer.port}"
        repair = "check the port in url:, and whether the service runs there"
    except OSError as error:
        said = f"port {peer.port} cannot be reached: {error.strerror or error}"
        repair = "check address, network and firewalls"
    return Probe(name="port", state=ProbeState.FAILED, sentence=said, repair=repair)


def _shown(peer: Peer, now: datetime) -> Iterator[Probe]:
    """The certificate alone. Servers that want one of ours too may show theirs to nobody else."""
    try:
        _, der = _shaken(peer, _trusting_anybody())
    except OSError as error:
        said = f"the server shows it to no stranger: {_reason(error)}"
        yield Probe(name="certificate", state=ProbeState.OK, sentence=said)
        return
    yield _validity(der, now, is_refused=False)


def _tls(peer: Peer, tls: Tls, now: datetime) -> Iterator[Probe]:
    try:
        version, der = _shaken(peer, _trusting_anybody())
    except OSError as error:
        said = f"no encrypted connection: {_reason(error)}"
        repair = "the port may serve something else than HTTPS, or only TLS before 1.2"
        yield Probe(name="tls", state=ProbeState.FAILED, sentence=said, repair=repair)
        return
    trust = _trust(peer, tls, version, der)
    yield trust
    yield _validity(der, now, is_refused=trust.state is ProbeState.FAILED)


def _shaken(peer: Peer, context: ssl.SSLContext) -> tuple[str, bytes]:
    with (
        socket.create_connection((peer.host, peer.port), PATIENCE) as line,
        context.wrap_socket(line, server_hostname=peer.host) as secure,
    ):
        return secure.version() or "TLS", secure.getpeercert(binary_form=True) or b""


def _trusting_anybody() -> ssl.SSLContext:
    """For looking alone: nothing is sent over such a connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _trust(peer: Peer, tls: Tls, version: str, der: bytes) -> Probe:
    shown = fingerprint(der)
    pin = f"if that is its own certificate (look there), pin it: tls: {{fingerprint: {shown}}}"
    if tls.fingerprint is None and tls.verify:
        return _verified(peer, tls, pin)
    if tls.fingerprint is None:
        said = "nobody checks who answers (verify: false): may be audited, never changed"
        return _said(ProbeState.WARNING, f"{version}; {said}", pin)
    if hmac.compare_digest(tls.fingerprint, shown):
        return _said(ProbeState.OK, f"{version}; the certificate is the pinned one")
    said = "the certificate is not the pinned one: it was renewed, or somebody else answers"
    return _said(ProbeState.FAILED, said, pin)


def fingerprint(der: bytes) -> str:
    """As it is pinned in the configuration."""
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def _verified(peer: Peer, tls: Tls, pin: str) -> Probe:
    try:
        context = _verifying(tls)
    except OSError as error:
        said = f"{tls.ca_file}: no certificates can be read: {_reason(error)}"
        return _said(ProbeState.FAILED, said, "name a file of certificates as tls: {ca_file: FILE}")
    try:
        version, _ = _shaken(peer, context)
    except OSError as error:
        said = f"the certificate is refused: {_reason(error)}"
        return _said(
            ProbeState.FAILED, said, f"name its authority as tls: {{ca_file: FILE}}; or, {pin}"
        )
    by = f"the authorities in {tls.ca_file}" if tls.ca_file else "this machine's authorities"
    return _said(ProbeState.OK, f"{version}; the certificate is verified by {by}")


def _verifying(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=tls.ca_file)
    return context


def _said(state: ProbeState, sentence: str, repair: str | None = None) -> Probe:
    return Probe(name="tls", state=state, sentence=sentence, repair=repair)


def shown_fingerprint(peer: Peer) -> str | None:
    """The certificate that somebody at that address shows, as it is pinned; None: there is none."""
    try:
        return fingerprint(_shaken(peer, _trusting_anybody())[1])
    except OSError:
        return None


def _validity(der: bytes, now: datetime, *, is_refused: bool) -> Probe:
    end = not_after(der)
    if end is None:
        return Probe(
            name="certificate",
            state=ProbeState.WARNING,
            sentence=f"it does not tell how long it is valid; {fingerprint(der)}",
        )
    left = end - now
    days = "1 day" if left.days == 1 else f"{max(left.days, 0)} days"
    shown = f"; {fingerprint(der)}"
    said = f"valid until {end:%Y-%m-%d}, {days} left{shown}"
    if left > SOON:
        return Probe(name="certificate", state=ProbeState.OK, sentence=said)
    said = said if left > timedelta(0) else f"it has expired on {end:%Y-%m-%d}{shown}"
    has_failed = is_refused and left <= timedelta(0)
    return Probe(
        name="certificate",
        state=ProbeState.FAILED if has_failed else ProbeState.WARNING,
        sentence=said,
        repair="have it renewed; a pinned fingerprint has to be renewed with it",
    )


def _reason(error: OSError) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return error.verify_message
        case ssl.SSLError():
            return (error.reason or "handshake failed").replace("_", " ").lower()
        case TimeoutError():
            return f"no handshake within {PATIENCE:g} s"
        case _:
            return error.strerror or str(error)
