"""`snapaudit exempt` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snapaudit.codec.documents import inventories_document
from tests.builders import inventory, snapshot, vm
from tests.cli.running import Ran, snapaudit

NOW = "2026-06-01T12:00:00Z"
WHO = ("--owner", "ada", "--reason", "still needed")
ENTRY: dict[str, str] = {
    "id": "EX-1",
    "rules": "[stale-snapshot]",
    "selector": "{vm: web01}",
    "owner": "ada",
    "reason": "still needed",
    "created": "2026-05-01",
    "expires": "2026-09-30",
}


def exempt(folder: Path, *arguments: str) -> Ran:
    return snapaudit("exempt", *arguments, cwd=folder, COLUMNS="200")


def write(folder: Path, *entries: dict[str, str]) -> Path:
    path = folder / "exemptions.yaml"
    text = "version: 1\nexemptions:\n"
    for changes in entries:
        fields = {**ENTRY, **changes}
        text += "  - " + "\n    ".join(f"{k}: {v}" for k, v in fields.items() if v != "-") + "\n"
    path.write_text(text, encoding="utf-8")
    return path


def see(folder: Path, **changes: Any) -> tuple[str, ...]:
    """Arguments that judge a saved view of two machines with a stale snapshot each."""
    machines = (vm(name, snapshot("old", age="9d", description="x")) for name in ("web01", "db01"))
    body = inventories_document((inventory(*machines, **changes),), compress=False)
    (folder / "seen.json").write_bytes(body)
    return ("--inventory", "seen.json", "--now", NOW)


def findings(folder: Path, *arguments: str) -> dict[str, Any]:
    ran = snapaudit("audit", "-f", "json", *see(folder), *arguments, cwd=folder)
    assert ran.code == 0, ran.err
    audit: dict[str, Any] = json.loads(ran.out)
    return audit


def test_exemption_is_added_shown_counted_and_removed(tmp_path: Path) -> None:
    added = exempt(
        tmp_path, "add", "web01", "--rule", "stale-snapshot", "--snapshot", "old", *WHO,
        "--ticket", "CHG-1", "--id", "EX-1", "--until", "2027-01-31",
    )  # fmt: skip
    assert (added.code, added.err) == (0, "")
    said = "EX-1 accepts stale-snapshot of snapshot old, vm web01 until 2027-01-31\n"
    assert added.out == said
    listed = exempt(tmp_path, "list")
    for word in ("EX-1", "stale-snapshot", "ada", "still needed", "CHG-1", "2027-01-31", "1 exemp"):
        assert word in listed.out
    audit = findings(tmp_path)
    assert (audit["summary"]["exempt"], audit["exemptions"][0]["findings"]) == (1, 1)
    removed = exempt(tmp_path, "remove", "EX-1")
    assert "EX-1 is gone from" in removed.out
    assert exempt(tmp_path, "list").out == "no exemptions\n"
    assert findings(tmp_path)["summary"]["exempt"] == 0


def test_list_as_json_says_what_an_audit_says(tmp_path: Path) -> None:
    write(tmp_path, {})
    listed = json.loads(exempt(tmp_path, "list", "-f", "json", "--now", NOW).out)
    assert listed["schema"] == "snapaudit/exemptions@1"
    (told,) = findings(tmp_path)["exemptions"]
    assert [{**told, "findings": None}] == listed["exemptions"]


def test_check_counts_no_accepted_finding_and_an_ended_exemption_gives_it_back(
    tmp_path: Path,
) -> None:
    write(tmp_path, {"selector": "{vm: '*'}", "expires": "2026-06-01"})
    view = see(tmp_path)
    ran = snapaudit("check", *view, cwd=tmp_path)
    assert (ran.code, "2 exempt" in ran.out) == (0, True), ran.out
    later = [*view[:3], "2026-06-02T11:59:59Z"]
    assert snapaudit("check", *later, cwd=tmp_path).code == 0
    over = [*view[:3], "2026-06-02T12:00:00Z"]
    assert snapaudit("check", *over, cwd=tmp_path).code == 2


@pytest.mark.parametrize(("command", "code"), [("audit", 2), ("check", 3), ("enforce", 2)])
@pytest.mark.parametrize("body", ["version: 1\nexemptions:\n  - {id: x}\n", "", "{", "\xff"])
def test_broken_file_ends_every_judgement_with_its_place(
    tmp_path: Path, command: str, code: int, body: str
) -> None:
    (tmp_path / "exemptions.yaml").write_bytes(body.encode("latin-1"))
    ran = snapaudit(command, *see(tmp_path), cwd=tmp_path)
    assert ran.code == code
    assert "exemptions.yaml" in (ran.out if command == "check" else ran.err)
    assert ran.has_no_traceback()


def test_file_that_cannot_be_looked_at_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "exemptions.yaml").mkdir()
    ran = snapaudit("audit", *see(tmp_path), cwd=tmp_path)
    assert ran.code == 2
    assert "exemptions.yaml: cannot be read" in ran.err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "web01", *WHO, "--until", "2027-01-01"), "--rule is missing"),
        (("add", "web01", "--rule", "stale-snapshot", *WHO), "--until is missing"),
        (("add", "--rule", "stale-snapshot", *WHO, "--until", "2027-01-01"), "name what is accept"),
        (("add", "a", "--rule", "stale", *WHO, "--until", "2027-01-01"), "did you mean 'stale-sn"),
        (
            ("add", "a", "--rule", "stale-snapshot", *WHO, "--until", "2099-01-01"),
            "the last day is",
        ),
        (("remove", "EX-9"), "no exemption 'EX-9'"),
        (("list", "-f", "jsn"), "did you mean 'json'"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    ran = exempt(tmp_path, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert reason in ran.err
    assert ran.err.count("\n") == 1


def lint(folder: Path, *arguments: str) -> dict[str, Any]:
    ran = exempt(folder, "lint", "-f", "json", *arguments)
    found: dict[str, Any] = json.loads(ran.out)
    is_wrong = any(one["level"] == "error" for one in found["remarks"])
    assert (ran.code, ran.err) == (2 if is_wrong else 0, "")
    return found


def remarks(found: dict[str, Any]) -> list[tuple[str | None, str]]:
    return [(one["exemption"], one["sentence"]) for one in found["remarks"]]


def test_lint_names_all_that_is_wrong_at_once_and_ends_with_2(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"id": "A", "rules": "[stale-snapshots]"},
        {"id": "B", "selector": "{enviroment: prod}"},
        {"id": "B"},
        {"id": "C"},
    )
    found = lint(tmp_path, "--now", NOW)
    assert found["schema"] == "snapaudit/exemption-lint@1"
    assert [one["place"] for one in found["remarks"]] == [
        f"{path}:4:13",
        f"{path}:12:16",
        f"{path}:17:9",
    ]
    told = [sentence for _, sentence in remarks(found)]
    assert "did you mean 'stale-snapshot'" in told[0]
    assert "did you mean 'environment'" in told[1]
    assert told[2] == "the id 'B' stands twice, first in line 10"
    assert found["exemptions"] == 1


def test_lint_warns_of_what_can_be_used_and_should_not_stay(tmp_path: Path) -> None:
    (tmp_path / "snapaudit.yaml").write_text(
        "version: 1\nendpoints: [{name: kvm1, kind: libvirt, url: 'test:///default'}]\n"
        "rules: {disable: [anonymous-snapshot]}\nexemptions: {max_life: 90d}\n",
        encoding="utf-8",
    )
    write(
        tmp_path,
        {"id": "ended", "created": "2026-04-01", "expires": "2026-05-30"},
        {"id": "soon", "expires": "2026-06-10"},
        {"id": "long", "expires": "2026-08-15"},
        {"id": "nobody", "owner": "'?'", "expires": "2026-07-01", "selector": "{vm: 'we*'}"},
        {"id": "off", "rules": "[anonymous-snapshot]", "expires": "2026-07-01"},
        {"id": "where", "selector": "{endpoint: kvm2}", "expires": "2026-07-01"},
    )
    assert remarks(lint(tmp_path, "--now", NOW)) == [
        ("ended", "has ended (2026-05-30) and accepts nothing any more"),
        ("soon", "ends soon: 2026-06-10"),
        ("soon", "long accepts the same already, of stale-snapshot"),
        ("soon", "nobody accepts the same already, of stale-snapshot"),
        ("long", "is meant to last until 2026-08-15, but counts no longer than 90 days from its "
         "creation"),
        ("nobody", "names no owner who answers for it"),
        ("off", "the rule anonymous-snapshot is switched off, so there is nothing of it to accept"),
        ("where", "no configured endpoint is called 'kvm2' (did you mean 'kvm1'?)"),
    ]  # fmt: skip


def test_lint_of_a_view_names_what_accepts_nothing_there(tmp_path: Path) -> None:
    write(tmp_path, {"id": "used"}, {"id": "gone", "selector": "{vm: app01}"})
    view = see(tmp_path)
    assert remarks(lint(tmp_path, "--now", NOW)) == []
    found = lint(tmp_path, *view)
    assert found["seen"] == ["kvm1"]
    assert remarks(found) == [("gone", "accepts nothing, although all that it selects was seen")]


def test_lint_of_a_view_names_who_accepts_the_same(tmp_path: Path) -> None:
    write(tmp_path, {"id": "a", "selector": "{vm: 'web*'}"}, {"id": "b", "selector": "{vm: '*01'}"})
    assert remarks(lint(tmp_path, "--now", NOW)) == []
    assert remarks(lint(tmp_path, *see(tmp_path))) == [
        ("a", "1 finding is accepted by b too"),
        ("b", "1 finding is accepted by a too"),
    ]


def test_lint_of_twins_names_the_later_one(tmp_path: Path) -> None:
    write(tmp_path, {"id": "a"}, {"id": "b"})
    said = remarks(lint(tmp_path, "--now", NOW))
    assert said == [("b", "a accepts the same already, of stale-snapshot")]


def test_inv_24_hostile_texts_show_as_they_are_and_command_nothing(tmp_path: Path) -> None:
    hostile = "\x1b[2J\u202e"
    exempt(
        tmp_path, "add", f"web{hostile}", "--rule", "stale-snapshot", "--owner", f"a{hostile}",
        "--reason", f"=1{hostile}", "--until", "2027-01-01",
    )  # fmt: skip
    for command in (("list",), ("lint",), ("lint", *see(tmp_path))):
        ran = exempt(tmp_path, *command)
        assert ran.code == 0
        assert all(char.isprintable() or char == "\n" for char in ran.out)


def test_bytes_that_are_no_text_are_kept_and_shown_by_their_code(tmp_path: Path) -> None:
    name = "web\udcff01"
    added = exempt(
        tmp_path, "add", name, "--rule", "stale-snapshot", *WHO, "--until", "2027-01-01",
    )  # fmt: skip
    assert (added.code, "web\\udcff01" in added.out) == (0, True)
    assert "web\\udcff01" in exempt(tmp_path, "list").out
    (one,) = json.loads(exempt(tmp_path, "list", "-f", "json").out)["exemptions"]
    assert one["selector"]["vm"] == "web\\udcff01"
