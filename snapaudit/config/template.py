"""The configuration that ``snapaudit init`` writes: short where active, every key explained.

Lines that begin with ``##`` explain, lines with a single ``#`` are examples to be uncommented. A
test uncomments them all and reads the result.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from snapaudit.model.endpoint import Endpoint, SecretReference, Tls

_HEAD = """\
## snapaudit.yaml: what to audit, and how.
## Lines that begin with ## explain. A line that begins with one # is an example: take the "# "
## away to use it. Relative paths start at the folder of this file. Durations, sizes and shares
## need their unit (72h, 500GiB, 5%).

## The version of this file's format.
version: 1

## Where the virtual machines are. Each endpoint has
##   name:     your word for it; --endpoint NAME picks it
##   kind:     vsphere, libvirt, hyperv or xen
##   url:      its address, never with a password in it
##   username: the account that reads; read-only rights are enough
##   password: where the password is, never the password itself, one of
##             {env: VARIABLE}           an environment variable
##             {file: PATH}              a file that nobody else can read (chmod 600)
##             {command: PROGRAM ARGS}   what a program prints, run without a shell
##             {keyring: SERVICE/NAME}   the keyring of the desktop or server
##             {credential: NAME}        what LoadCredential= gives to a systemd unit
##             {prompt: true}            you type it, once a run; only where there is a terminal
##   tls:      how to recognise the other side: {ca_file: PATH} or {fingerprint: "sha256:..."};
##             {verify: false} recognises nobody: such an endpoint may be audited, never changed
##   enforce_as: the account that may delete snapshots; an audit never uses it
##   transport:  how to log in, where the platform knows several ways
##   deadline:   the longest time to wait for this endpoint (default 120s)
##   site:       where it is, when the workers of a Dask cluster read (see executor:)
##   lab:        true: snapshots younger than 24h may be deleted here; every report says so
## and further keys that only its kind knows.
endpoints:
"""

_ENDPOINT_EXAMPLES = """\
#   - name: vc-berlin
#     kind: vsphere
#     url: https://vcenter.example.org
#     username: audit@vsphere.local
#     password: {env: VC_BERLIN_PASSWORD}
#     tls: {ca_file: /etc/ssl/site-ca.pem}
#     enforce_as: {username: clean@vsphere.local, password: {command: pass show vc-clean}}
#     deadline: 120s
#   - {name: kvm1, kind: libvirt, url: "qemu+ssh://audit@kvm1/system"}
#   - {name: kvm-lab, kind: libvirt, url: "qemu:///session", lab: true}
#   - name: hv1
#     kind: hyperv
#     url: https://hv1:5986/wsman
#     username: audit
#     password: {keyring: snapaudit/hv1}
#     transport: ntlm
#   - {name: pool1, kind: xen, url: "https://xcp1", username: audit, password: {file: xcp1.secret}}
"""

_REST = """
## Which machine belongs where, so that rules can be stricter there. The first match wins. Under
## where: tags, names (shell wildcards), ids and endpoints; all kinds that are written must match,
## of one kind any entry.
# environments:
#   - {name: prod, where: {tags: [prod]}}
#   - {name: test, where: {names: ["test-*", "dev-*"]}}
#   - {name: edge, where: {endpoints: [kvm1], ids: [4dea22b3-1d52-d8f3-2516-782e98ab3fa0]}}

## The rules.
##   folders: folders with rules of your own, besides those that come with the program
##   disable: rules that are off
##   levels:  other thresholds, by rule, environment and severity (info, warning, critical); the
##            environment "default" is every machine that is in none
# rules:
#   folders: [rules]
#   disable: [anonymous-snapshot]
#   levels:
#     stale-snapshot:
#       prod: {warning: 24h, critical: 72h}
#       default: {warning: 7d}

## Exemptions: findings that somebody accepts for a while ("snapaudit exempt add").
##   file:           where they stand; without this key exemptions.yaml beside this file, if any
##   max_life:       the longest one counts, from its creation
##   require_ticket: true: each must name a ticket
##   honour_expiry:  how long from its creation a snapshot is left alone because its own name or
##                   description says "keep until 2026-12-01"; without this key not at all
# exemptions:
#   file: exemptions.yaml
#   max_life: 180d
#   require_ticket: true
#   honour_expiry: 30d

## How much one run of "snapaudit enforce --apply" may change.
##   min_age:     younger snapshots are never deleted
##   max_actions: most actions in one run
##   max_share:   most of all snapshots in one run; 3 are always allowed
##   max_bytes:   most that one run may merge
##   min_free:    free space that a merge must leave, a share or a size; without this key the
##                larger of 10GiB and 5%
##   window:      when changes may begin: days (Sat, Mon-Fri, daily), times, time zone
# limits:
#   min_age: 72h
#   max_actions: 10
#   max_share: 5%
#   max_bytes: 500GiB
#   min_free: 10%
#   window: "Sat 22:00-06:00 Europe/Berlin"

## How many people have to sign a plan before "snapaudit enforce --apply" carries it out.
##   needed:  how many, beside the one who made it
##   signers: who may, with their public keys: an allowed signers file as ssh-keygen(1) has it. It
##            must belong to somebody else than the user who runs snapaudit, as this file should
# approvals:
#   needed: 2
#   signers: /etc/snapaudit/allowed_signers

## What "snapaudit check" says. A limit may be one for each level: {warning: 10, critical: 50}.
##   fail_on:          the level from which on a finding counts: info, warning, critical
##   max_findings:     most findings of a severity; it stands in for fail_on there
##   max_stale:        most snapshots that are too old
##   max_bytes:        most that all snapshots hold
##   max_new:          most findings that were not there before
##   min_days_to_full: soonest end of the forecasts
##   min_coverage:     least share of the endpoints that has to be seen whole
##   baseline:         a file of "check --write-baseline" to compare with
##   fail_on_new:      true: only what is new or worse counts
##   tolerance:        how far a known finding may grow before it is worse (default 10%)
# check:
#   fail_on: warning
#   max_findings: {info: 200, warning: 20}
#   max_stale: {warning: 10, critical: 50}
#   max_bytes: 2TiB
#   max_new: 5
#   min_days_to_full: {warning: 30d, critical: 7d}
#   min_coverage: 95%
#   baseline: snapaudit-baseline.json
#   fail_on_new: true
#   tolerance: 10%

## Who reads the endpoints.
##   kind:      processes: this machine, each endpoint in a process that is ended at its deadline;
##              dask: the workers of a Dask cluster (extra "dask"), each endpoint by a worker that
##              has its site: as a resource
##   workers:   processes: most endpoints at once; without it as many as the machine can bear
##   scheduler: dask: its address; tcp:// is for this very machine, everywhere else it is tls://
##   tls_ca_file, tls_client_cert, tls_client_key: dask: whom to believe, and who we are
# executor:
#   kind: dask
#   scheduler: tls://dask.example.org:8786
#   tls_ca_file: dask/ca.pem
#   tls_client_cert: dask/client.pem
#   tls_client_key: dask/client.key

## The folder for history, plans, journal and lock. Only you need access to it.
# state: .snapaudit

## What earlier runs saw: for differences, forecasts and reports.
##   days:        how long everything about every snapshot is kept (400d); after that the last run
##                of each week is kept as numbers
##   weekly_days: how long these are kept (1100d); after that the last one of each month
##   url:         a PostgreSQL that several people share, instead of history.db in the state folder
##   password:    where its password is, written as for endpoints
# history:
#   days: 400d
#   weekly_days: 1100d
#   url: postgresql://snapaudit@db.example.org/snapaudit?sslmode=verify-full
#   password: {env: HISTORY_PASSWORD}

## The folder for the reports that "snapaudit report --publish" writes: a folder a day and a list of
## all of them. With keep: so many stay, and older ones are taken away.
# reports: {path: reports, keep: 53}

## Whom to ask about a machine's snapshots: the first place that names somebody. "attribute:" is a
## custom attribute of vSphere, "tag:owner" a tag like owner:web-team, "notes:Owner" a line
## "Owner: web-team" in the machine's notes, creator who took the snapshot.
# owners: ["attribute:Owner", "tag:owner", "notes:Owner", creator]

## Mailed reports, sent by "snapaudit report --mail".
##   smtp:          smtps:// (port 465), or smtp:// with STARTTLS (587 with a password, else 25)
##   from, to:      plain addresses; the team under to: gets everything
##   password:      where it is, written as for endpoints; username: is from: unless written
##   tls:           ca_file, fingerprint or verify: false, as for endpoints
##   starttls:      false: smtp:// in the clear and without a password, as to this very machine
##   per_owner:     true: every owner of snapshots gets a mail about their own
##   owners:        the addresses of owners, by the names that snapshots and machines tell
##   owner_domains: an owner who is named by an address in one of these is mailed there
##   when_clean:    send, or silent: no mail when all was seen and nothing is at warning or above
##   attach:        false: without the whole page as a file
# mail:
#   smtp: smtps://mail.example.org
#   from: snapaudit@example.org
#   to: [virt-team@example.org]
#   password: {env: SMTP_PASSWORD}
#   per_owner: true
#   owners: {alice: alice@example.org}
#   when_clean: silent
"""


def text(endpoints: Sequence[Endpoint]) -> str:
    """The file's text, with these endpoints active: name, kind, url, reading account and TLS."""
    return _HEAD + "".join(_entry(endpoint) for endpoint in endpoints) + _ENDPOINT_EXAMPLES + _REST


def _entry(endpoint: Endpoint) -> str:
    fields = {"name": endpoint.name, "kind": endpoint.kind, "url": endpoint.url}
    lines = [f"{key}: {_quoted(value)}" for key, value in fields.items()]
    if endpoint.account.username is not None:
        lines.append(f"username: {_quoted(endpoint.account.username)}")
    if endpoint.account.password is not None:
        lines.append(f"password: {_source(endpoint.account.password)}")
    if endpoint.tls != Tls():
        lines.append(f"tls: {_trust(endpoint.tls)}")
    return "  - " + "\n    ".join(lines) + "\n"


def _source(reference: SecretReference) -> str:
    where = "true" if reference.is_typed else _quoted(reference.name)
    return f"{{{reference.source}: {where}}}"


def _trust(tls: Tls) -> str:
    if tls.fingerprint is not None:
        return f"{{fingerprint: {_quoted(tls.fingerprint)}}}"
    return f"{{ca_file: {_quoted(tls.ca_file)}}}" if tls.ca_file else "{verify: false}"


def _quoted(value: str) -> str:
    """YAML reads a JSON string as it is meant, whatever stands in it."""
    return json.dumps(value, ensure_ascii=False)
