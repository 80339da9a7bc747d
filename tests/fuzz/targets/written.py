"""What people write: configuration, rules, exemptions, holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from snapaudit.codec.entries import with_entry, without_entry
from snapaudit.config.exemption import Known
from snapaudit.config.exemptions import read_exemptions
from snapaudit.config.loader import load
from snapaudit.config.settings import ExemptionSettings
from snapaudit.config.template import text as template
from snapaudit.enforce.holds import read_holds
from snapaudit.errors import InputError
from snapaudit.model.policy import SubjectKind
from snapaudit.rules.loader import builtin_folder, load_policy
from snapaudit.rules.rulefile import ID_PATTERN, read_rule
from snapaudit.rules.trial import try_rules
from tests.builders import NOW, snapshot, vm
from tests.config.written import OPTIONS_OF
from tests.fuzz.target import Form, Target
from tests.fuzz.targets import scratch

_LARGEST = 130 * 1024  # a little more than a file may have
_ID = re.compile(rb"^id: (" + ID_PATTERN.encode() + rb")\s*$", re.MULTILINE)
_CONFIGURATION = b"""\
version: 1
endpoints:
  - {name: vc, kind: vsphere, url: https://vc.example.org, username: a, password: {env: SECRET}}
  - name: kvm1
    kind: libvirt
    url: qemu+tls://kvm1.example.org/system
    refresh_pools: true
    deadline: 90s
environments:
  - {name: production, where: {tags: [prod]}}
rules:
  folders: [site-rules]
  disable: [anonymous-snapshot]
  levels: {stale-snapshot: {production: {warning: {age: {over: 2d}}}}}
exemptions: {file: exemptions.yaml, max_life: 90d, require_ticket: true}
limits: {min_age: 72h, max_actions: 5, max_share: 3%, max_bytes: 100GiB}
mail:
  smtp: smtps://mail.example.org
  from: a@example.org
  to: [b@example.org]
  owner_domains: [example.org]
history: {days: 400d}
reports: {path: reports}
"""
_EXEMPTIONS = b"""\
# Accepted for a while.
version: 1
exemptions:
  - id: EX-1
    rules: [stale-snapshot]
    selector: {endpoint: kvm1, vm: "web*", tags: [a, b]}
    owner: ada
    reason: waits for the vendor
    created: 2026-05-01
    expires: 2026-07-01T18:00:00Z
  # the database
  - {id: 17, rules: [long-chain], selector: {vm: db01}, owner: "", reason: "x: y",
     ticket: CHG-1, created: 2026-05-02, expires: 2026-06-02}
"""
_HOLDS = b"""{"schema": "snapaudit/holds@1", "holds": [
  {"id": "h1", "endpoint": "kvm1", "vm": "web01", "snapshot": "before-upgrade", "owner": "ada",
   "reason": "audit", "created_at": "2026-05-01T00:00:00Z", "expires_at": "2026-09-01T00:00:00Z"},
  {"vm": "db01", "expires_at": null}, "not an entry"]}
"""


def _configuration(data: bytes) -> None:
    load(scratch.file("snapaudit.yaml", data), options_of=OPTIONS_OF)


def _configurations() -> Iterator[bytes]:
    yield _CONFIGURATION
    yield template(()).encode()
    yield re.sub(r"(?m)^# ", "", template(())).encode()


def _rule(data: bytes) -> None:
    found = _ID.search(data)
    name = found[1].decode()[:100] if found else "rule"
    path = scratch.file(f"{name}.yaml", data)
    try:
        try_rules([read_rule(path)])
    finally:
        path.unlink()


def _rules() -> Iterator[bytes]:
    for path in sorted(builtin_folder().glob("*.yaml")):
        yield path.read_bytes()


@cache
def _known() -> Known:
    policy = load_policy((), disable={}, levels={}, environments=())
    rules: dict[str, SubjectKind | None] = {rule.id: rule.subject for rule in policy.rules}
    return Known(rules=rules, environments=("production",))


def _exemptions(data: bytes) -> None:
    path = scratch.file("exemptions.yaml", data)
    read_exemptions(ExemptionSettings(file=path, must_exist=True), _known())
    text = data.decode("utf-8-sig")
    fields = {"id": "EX-99", "owner": "ada"}
    with suppress(InputError):  # what is written in a way that cannot be edited is left alone
        without_entry(with_entry(text, "x", "exemptions", fields), "x", "exemptions", 0)


def _holds(data: bytes) -> None:
    """Nothing may be raised at all: what cannot be read holds everything."""
    scratch.kept(scratch.state().holds, data)
    read_holds(scratch.state()).why_held("kvm1", vm("web01"), snapshot(), NOW)


TARGETS = (
    Target(
        name="configuration",
        group="written",
        run=_configuration,
        examples=_configurations,
        form=Form.YAML,
        largest=_LARGEST,
    ),
    Target(
        name="rule", group="written", run=_rule, examples=_rules, form=Form.YAML, largest=_LARGEST
    ),
    Target(
        name="exemptions",
        group="written",
        run=_exemptions,
        examples=lambda: (_EXEMPTIONS, _EXEMPTIONS.replace(b"\n", b"\r\n")),
        form=Form.YAML,
        largest=_LARGEST,
    ),
    Target(
        name="holds",
        group="written",
        run=_holds,
        examples=lambda: (_HOLDS,),
        form=Form.JSON,
        expected=(),
    ),
)
