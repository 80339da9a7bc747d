"""The exemptions file as people write it, and every mistake in it with its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from snapaudit.config.exemption import Known
from snapaudit.config.exemptions import read_exemptions
from snapaudit.config.settings import ExemptionSettings
from snapaudit.errors import InputError
from snapaudit.model.exemption import Exemption, Selector
from snapaudit.model.policy import SubjectKind
from tests.config.written import MARK, fault, settings

KNOWN = Known(
    rules={
        "stale-snapshot": SubjectKind.SNAPSHOT,
        "ancient-snapshot": SubjectKind.SNAPSHOT,
        "datastore-near-full": SubjectKind.DATASTORE,
        "exemption-expired": SubjectKind.EXEMPTION,
        "switched-off": None,
    },
    environments=("prod",),
)
WHOLE = """\
    version: 1
    exemptions:
      # agreed in the meeting of May
      - id: EX-1
        rules: [stale-snapshot, ancient-snapshot]
        selector:
          {endpoint: "vc-*", vm: erp-db01, snapshot: "before *", tags: [erp], environment: prod}
        owner: dba-team
        reason: >-
          The vendor asked to keep it
          until the migration is over.
        ticket: CHG-4711
        created: 2026-05-01
        expires: 2026-09-30
"""


def read(folder: Path, text: str, *, require_ticket: bool = False) -> tuple[Exemption, ...]:
    path = folder / "exemptions.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return read_exemptions(ExemptionSettings(file=path, require_ticket=require_ticket), KNOWN)


def entry(**changes: str) -> str:
    keys = {
        "id": "EX-1",
        "rules": "[stale-snapshot]",
        "selector": "{vm: web01}",
        "owner": "ada",
        "reason": "asked for",
        "created": "2026-05-01",
        "expires": "2026-09-30",
    }
    keys |= changes
    lines = "\n    ".join(f"{key}: {value}" for key, value in keys.items() if value != "-")
    return f"version: 1\nexemptions:\n  - {lines}\n"


def wrong(folder: Path, marked: str, *, require_ticket: bool = False) -> str:
    """What is said about a file, whose wrong place has to be the mark's."""
    before = marked[: marked.index(MARK)]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    with pytest.raises(InputError) as caught:
        read(folder, marked.replace(MARK, ""), require_ticket=require_ticket)
    place = f"{folder / 'exemptions.yaml'}:{line}:{column}: "
    assert str(caught.value).startswith(place), f"{caught.value} is not at {line}:{column}"
    return str(caught.value).removeprefix(place)


def test_every_field_is_read(tmp_path: Path) -> None:
    (one,) = read(tmp_path, WHOLE)
    assert (one.id, one.rules) == ("EX-1", ("stale-snapshot", "ancient-snapshot"))
    assert one.selector == Selector(
        endpoint="vc-*", vm="erp-db01", snapshot="before *", tags=("erp",), environment="prod"
    )
    assert (one.owner, one.ticket) == ("dba-team", "CHG-4711")
    assert one.reason == "The vendor asked to keep it until the migration is over."
    assert one.created_at == datetime(2026, 5, 1, tzinfo=UTC)
    assert one.expires_at == datetime(2026, 10, 1, 12, tzinfo=UTC)
    assert (one.place.line, one.place.column) == (4, 5)


def test_no_file_by_the_default_name_and_no_entry_accept_nothing(tmp_path: Path) -> None:
    assert read_exemptions(ExemptionSettings(file=tmp_path / "exemptions.yaml"), KNOWN) == ()
    assert read(tmp_path, "version: 1\nexemptions:\n") == ()
    assert read(tmp_path, "version: 1\nexemptions: []\n") == ()


def test_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    named = ExemptionSettings(file=tmp_path / "gone.yaml", must_exist=True)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_exemptions(named, KNOWN)


def test_link_to_nowhere_by_the_default_name_is_an_error_and_not_nothing(tmp_path: Path) -> None:
    link = tmp_path / "exemptions.yaml"
    link.symlink_to(tmp_path / "gone")
    with pytest.raises(InputError, match="cannot be read"):
        read_exemptions(ExemptionSettings(file=link), KNOWN)


@pytest.mark.parametrize("owner", ["", '""', "~"])
def test_owner_may_be_empty_and_is_then_nobody(tmp_path: Path, owner: str) -> None:
    (one,) = read(tmp_path, entry(owner=owner))
    assert not one.has_owner


def test_ticket_may_be_a_number_and_is_demanded_where_the_site_does(tmp_path: Path) -> None:
    (one,) = read(tmp_path, entry(ticket="4711"), require_ticket=True)
    assert one.ticket == "4711"
    said = wrong(tmp_path, entry().replace("id: EX-1", f"{MARK}id: EX-1"), require_ticket=True)
    assert said == "the key 'ticket' is missing"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rules": "[▶stale-snapshots]"}, "there is no rule 'stale-snapshots' (did you mean 'stal"),
        ({"rules": "[▶exemption-expired]"}, "exemption-expired watches over exemptions"),
        ({"rules": "▶[]"}, "is empty; name the rules"),
        ({"rules": "▶stale-snapshot"}, "expected a list"),
        ({"selector": "▶{}"}, "is empty; write one of endpoint, vm"),
        ({"selector": "{▶vms: web01}"}, "unknown key 'vms'"),
        ({"selector": "{vm:▶ }"}, "expected text, found nothing"),
        ({"selector": "{vm: ▶4711}"}, "expected text, found 4711"),
        ({"selector": "{▶datastore: ssd}"}, "stale-snapshot is about a snapshot, which 'datastore"),
        ({"selector": "{tags: ▶[]}"}, "is empty; write at least one tag"),
        ({"selector": "{environment: ▶prd}"}, "there is no environment 'prd'; known: default, pr"),
        ({"owner": "▶[ada]"}, "expected text, found a list"),
        ({"reason": "▶''"}, "expected text, found ''"),
        ({"id": "▶EX 1"}, "expected an id of letters"),
        ({"expires": "▶soon"}, "expected a day like 2026-12-31"),
        ({"expires": "▶2026-02-30"}, "expected a day like 2026-12-31"),
        ({"expires": "▶2026-09-30T12:00:00"}, "expected a day like 2026-12-31"),
        ({"expires": "▶2026-04-01"}, "ends before it was created"),
        ({"created": "▶20"}, "expected a day like 2026-12-31"),
    ],
)
def test_mistake_is_told_at_its_place(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    assert wrong(tmp_path, entry(**changes)).startswith(said)


@pytest.mark.parametrize(
    "key", ["id", "rules", "selector", "owner", "reason", "created", "expires"]
)
def test_every_field_but_the_ticket_must_be_there(tmp_path: Path, key: str) -> None:
    first = "rules" if key == "id" else "id"
    text = entry(**{key: "-"}).replace(f"- {first}", f"- {MARK}{first}")
    assert wrong(tmp_path, text) == f"the key {key!r} is missing"


def test_id_that_stands_twice_is_told_with_the_line_of_the_first(tmp_path: Path) -> None:
    second = entry().partition("exemptions:\n")[2].replace("EX-1", f"{MARK}EX-1")
    assert wrong(tmp_path, entry() + second) == "the id 'EX-1' stands twice, first in line 3"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("▶exemptions: []\n", "the key 'version' is missing"),
        ("version: ▶2\nexemptions: []\n", "expected version 1"),
        ("version: 1\n▶exemption: []\n", "unknown key 'exemption'"),
        ("version: 1\nexemptions: ▶{}\n", "expected a list"),
        ("version: 1\nexemptions:\n  - ▶EX-1\n", "expected a mapping"),
        ("version: 1\nexemptions: [&a ▶x, *a]\n", ""),
    ],
)
def test_file_that_is_no_list_of_exemptions_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text.replace(MARK, ""))
    assert said in str(caught.value)


def test_section_of_the_configuration(tmp_path: Path) -> None:
    text = "version: 1\nexemptions: {file: ex.yaml, max_life: 90d, honour_expiry: 30d}\n"
    assert settings(tmp_path, text).exemptions == ExemptionSettings(
        file=tmp_path / "ex.yaml",
        must_exist=True,
        max_life=timedelta(days=90),
        honour_expiry=timedelta(days=30),
    )
    standing = settings(tmp_path, "version: 1\n").exemptions
    assert (standing.file, standing.honour_expiry) == (tmp_path / "exemptions.yaml", None)
    assert standing.max_life == timedelta(days=180)
    assert fault(tmp_path, "version: 1\nexemptions: {max_life: ▶0d}\n").startswith("allows nothing")
    assert fault(tmp_path, "version: 1\nexemptions: {▶honor_expiry: 1d}\n").endswith(
        "(did you mean 'honour_expiry'?)"
    )
