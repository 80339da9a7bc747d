"""The commands as a user types them: what they write, where, and what they end with."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from snapaudit.codec.documents import inventories_document
from tests.builders import disk, inventory, layer, snapshot, stray, vm
from tests.cli.running import Ran, snapaudit, write_config

NOW = ("--now", "2026-06-01T12:00:00Z")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a saved inventory of two machines."""
    web = vm(
        "web01",
        snapshot("before-upgrade", age="9d", description="kernel"),
        snapshot("other", age="1h", parent_id="before-upgrade"),
        current_snapshot_id="other",
    )
    db = vm("db01", snapshot("other", age="2d", protections=("busy: a backup runs",)))
    document = inventories_document([inventory(web, db, strays=(stray(),))], compress=False)
    (tmp_path / "i.json").write_bytes(document)
    return tmp_path


def on_saved(folder: Path, *arguments: str) -> Ran:
    return snapaudit(*arguments, "--inventory", "i.json", *NOW, cwd=folder)


# audit and where results go -----------------------------------------------------------------------


def test_plain_output_takes_the_result_from_stdout(saved: Path) -> None:
    ran = on_saved(saved, "audit", "-f", "json", "-o", "out/audit.json")
    assert (ran.code, ran.out) == (0, "")
    assert json.loads((saved / "out/audit.json").read_text())["schema"] == "snapaudit/audit@1"


def test_several_formats_are_written_at_once_and_the_table_goes_to_stdout_when_asked(
    saved: Path,
) -> None:
    files = ("-o", "html=a.html", "-o", "json=a.json", "-o", "csv=a.csv")
    assert on_saved(saved, "audit", *files).out == ""
    ran = on_saved(saved, "audit", "-f", "table", *files)
    assert "web01" in ran.out
    assert (saved / "a.html").read_text().startswith("<!doctype html>")
    assert json.loads((saved / "a.json").read_text())["findings"]


def test_file_that_cannot_be_written_is_one_line_and_leaves_nothing_behind(saved: Path) -> None:
    (saved / "taken").write_text("a file, no folder")
    ran = on_saved(saved, "audit", "-o", "json=taken/a.json")
    assert ran.code == 2
    assert "taken/a.json" in ran.err
    assert ran.has_no_traceback()


@pytest.mark.parametrize(("level", "code"), [("warning", 2), ("critical", 2)])
def test_fail_on_ends_as_check_does(saved: Path, level: str, code: int) -> None:
    assert on_saved(saved, "audit", "-f", "json", "--fail-on", level).code == code
    assert on_saved(saved, "audit", "-f", "json").code == 0


def test_check_gives_the_verdict_as_text_and_as_json(saved: Path) -> None:
    text, document = on_saved(saved, "check"), on_saved(saved, "check", "-f", "json")
    assert text.code == document.code == 2
    assert text.out.startswith("CRITICAL")
    check = json.loads(document.out)
    assert (check["schema"], check["status"], check["exit_code"]) == (
        "snapaudit/check@1",
        "critical",
        2,
    )


def test_unknown_endpoint_is_refused_with_the_nearest_name(saved: Path) -> None:
    ran = on_saved(saved, "audit", "--endpoint", "kvm2")
    assert ran.code == 2
    assert "did you mean 'kvm1'" in ran.err


# collect ------------------------------------------------------------------------------------------


def test_collect_saves_what_audit_reads_again(tmp_path: Path) -> None:
    write_config(tmp_path, "{name: t, kind: libvirt, url: 'test:///default'}")
    ran = snapaudit("collect", "-o", "seen.json.gz", cwd=tmp_path)
    assert ran.out == ""
    assert "seen.json.gz: 1 endpoint, 1 virtual machine" in ran.err
    seen = json.loads(gzip.decompress((tmp_path / "seen.json.gz").read_bytes()))
    assert (seen["schema"], seen["endpoint"]) == ("snapaudit/inventory@1", "t")
    again = snapaudit("audit", "--inventory", "seen.json.gz", "-f", "json", cwd=tmp_path)
    assert json.loads(again.out)["inventories"] == [seen]


def test_collect_of_a_missing_endpoint_saves_that_it_is_missing(tmp_path: Path) -> None:
    write_config(tmp_path, "{name: far, kind: libvirt, url: 'qemu+tcp://127.0.0.1:1/system'}")
    ran = snapaudit("collect", "-o", "seen.json", cwd=tmp_path)
    assert ran.code == 3
    assert "far: missing" in ran.err
    assert json.loads((tmp_path / "seen.json").read_text())["coverage"]["state"] == "missing"


# explain and rules --------------------------------------------------------------------------------


def test_explain_shows_every_number_and_the_tree(saved: Path) -> None:
    ran = on_saved(saved, "explain", "web01/before-upgrade")
    assert ran.code == 0
    for piece in ("stale-snapshot", "9 days", "over 7 days", "gives back", "└── before-upgrade"):
        assert piece in ran.out, piece


def test_explain_tells_protections(saved: Path) -> None:
    assert "busy: a backup runs" in on_saved(saved, "explain", "db01/other").out


def test_explain_as_json_carries_values_bounds_and_answers(saved: Path) -> None:
    page = json.loads(on_saved(saved, "explain", "web01/before-upgrade", "-f", "json").out)
    stale = next(answer for answer in page["answers"] if answer["rule"] == "stale-snapshot")
    assert stale["severity"] == "critical"
    assert {"fact": "age", "value": "P9D", "bound": "P7D", "answer": "yes"}.items() <= (
        stale["weighed"][0].items()
    )


def test_explain_of_a_name_two_things_have_lists_both(saved: Path) -> None:
    ran = on_saved(saved, "explain", "other")
    assert ran.code == 2
    assert "web01/other" in ran.err
    assert "db01/other" in ran.err


@pytest.mark.parametrize("name", ["web01", "pool-1", "/vm/old.qcow2", "kvm1"])
def test_explain_knows_machines_datastores_files_and_endpoints(saved: Path, name: str) -> None:
    ran = on_saved(saved, "explain", name)
    assert ran.code == 0
    assert name.rsplit("/", 1)[-1] in ran.out


def test_explain_of_a_rule_needs_no_endpoint(tmp_path: Path) -> None:
    ran = snapaudit("explain", "stale-snapshot", cwd=tmp_path)
    assert ran.code == 0
    assert "delete snapshot" in ran.out


def test_explain_of_a_rule_as_json_has_levels_cases_and_origins(tmp_path: Path) -> None:
    ran = snapaudit("explain", "stale-snapshot", "-f", "json", cwd=tmp_path)
    page = json.loads(ran.out)
    assert (page["schema"], page["rule"]) == ("snapaudit/explanation@1", "stale-snapshot")
    assert page["resolved"]["environments"][0]["name"] == "default"
    assert page["cases"]


def test_explain_as_json_tells_facts_holds_and_exemptions(saved: Path) -> None:
    (saved / "exemptions.yaml").write_text(
        "version: 1\nexemptions:\n  - {id: EX-1, rules: [stale-snapshot], selector: {vm: web01}, "
        "owner: ada, reason: r, created: 2026-05-01, expires: 2026-07-01}\n"
    )
    who = ("--owner", "ada", "--reason", "r")
    assert snapaudit("hold", "add", "web01", *who, cwd=saved).code == 0
    page = json.loads(on_saved(saved, "explain", "web01/before-upgrade", "-f", "json").out)
    assert {"name": "size", "type": "size", "value": 2**30, "reason": None, "of": "snapshot"} in (
        page["facts"]
    )
    assert [one["relation"] for one in page["exemptions"]] == ["accepts"]
    assert page["holds"]
    assert page["enforcement"]["verdict"] == "kept"
    assert page["enforcement"]["reasons"][0].startswith("exempt: EX-1 of ada")


def test_rules_are_listed_shown_and_validated(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    rule = (
        "id: big-disk\ntitle: Long\nsubject: virtual-machine\n"
        "levels: {warning: {longest_chain: {over: 2}}}\nwhy: it is long\nfix: Shorten it.\n"
    )
    (tmp_path / "mine/big-disk.yaml").write_text(rule)
    assert "big-disk" in snapaudit("rules", "list", "--rules", "mine", cwd=tmp_path).out
    assert rule in snapaudit("rules", "show", "big-disk", "--rules", "mine", cwd=tmp_path).out
    assert snapaudit("rules", "validate", "--rules", "mine", cwd=tmp_path).code == 0
    (tmp_path / "mine/big-disk.yaml").write_text(rule.replace("longest_chain", "longest_chian"))
    ran = snapaudit("rules", "validate", "--rules", "mine", cwd=tmp_path)
    assert ran.code == 2
    assert "mine/big-disk.yaml:4:20" in ran.err
    assert "longest_chain" in ran.err


def test_cases_of_rule_files_are_tried_and_a_wrong_one_ends_with_2(tmp_path: Path) -> None:
    ran = snapaudit("rules", "test", cwd=tmp_path)
    assert (ran.code, ran.out.splitlines()[-1].split()[-1]) == (0, "hold")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/many.yaml").write_text(
        "id: many\ntitle: Many\nsubject: virtual-machine\nlevels: {info: {snapshots: {over: 1}}}\n"
        "why: to be seen\nfix: Look.\ncases:\n  - {given: {snapshots: 2}, expect: none}\n"
    )
    ran = snapaudit("rules", "test", "many", "--rules", "mine", "-f", "json", cwd=tmp_path)
    (result,) = json.loads(ran.out)["results"]
    assert (ran.code, result["found"], result["origin"]) == (2, ["info"], "mine/many.yaml:8")
    ran = snapaudit("rules", "test", "mani", "--rules", "mine", cwd=tmp_path)
    assert (ran.code, "did you mean 'many'?" in ran.err) == (2, True)


def test_cases_are_about_files_and_not_about_levels_of_the_configuration(tmp_path: Path) -> None:
    config = "version: 1\nrules: {levels: {long-chain: {default: {warning: 3}}}}\n"
    (tmp_path / "snapaudit.yaml").write_text(config)
    ran = snapaudit("rules", "test", "long-chain", cwd=tmp_path)
    assert ran.code == 0
    assert "which no case knows: long-chain" in ran.out
    shown = snapaudit("rules", "show", "long-chain", "--resolved", "-f", "json", cwd=tmp_path)
    values = [
        value
        for level in json.loads(shown.out)["environments"][0]["levels"]
        for value in level["condition"]["values"]
    ]
    assert [(value["bound"], value["origin"].rpartition("/")[2]) for value in values] == [
        (3, "snapaudit.yaml:2"),
        (24, "built-in long-chain.yaml:6"),
    ]


def test_schema_of_rule_files_is_printed_as_json(tmp_path: Path) -> None:
    ran = snapaudit("rules", "schema", cwd=tmp_path)
    assert json.loads(ran.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_coverage_names_rules_that_never_matched_and_keeps_the_code_of_the_view(
    saved: Path,
) -> None:
    ran = on_saved(saved, "rules", "coverage", "-f", "json")
    told = {use["rule"]: use for use in json.loads(ran.out)["rules"]}
    assert told["long-chain"]["asked"] == 2
    assert ran.code == on_saved(saved, "audit").code


def test_coverage_looks_into_the_history_where_there_is_one(saved: Path) -> None:
    def orphans() -> tuple[int, int, int]:
        told = json.loads(on_saved(saved, "rules", "coverage", "-f", "json").out)["rules"]
        (use,) = [use for use in told if use["rule"] == "orphan-disk"]
        return use["warning"], use["runs"], use["matched_runs"]

    assert orphans() == (1, 0, 0)
    assert on_saved(saved, "audit").code == 0
    assert orphans() == (1, 1, 1)


def test_rule_of_ones_own_judges(saved: Path) -> None:
    (saved / "mine").mkdir()
    (saved / "mine/any-snapshot.yaml").write_text(
        "id: any-snapshot\ntitle: There is one\nsubject: snapshot\n"
        "levels: {info: {age: {over: 1m}}}\nwhy: to be seen\nfix: Look.\n"
    )
    ran = on_saved(saved, "audit", "-f", "json", "--rules", "mine")
    found = [f for f in json.loads(ran.out)["findings"] if f["rule"] == "any-snapshot"]
    assert len(found) == 3


# init ---------------------------------------------------------------------------------------------


def test_init_writes_a_configuration_that_is_valid_and_never_replaces_one_unasked(
    tmp_path: Path,
) -> None:
    (tmp_path / "run/libvirt").mkdir(parents=True)
    (tmp_path / "run/libvirt/libvirt-sock").touch()
    ran = snapaudit("init", cwd=tmp_path, XDG_RUNTIME_DIR=str(tmp_path / "run"))
    assert ran.code == 0
    assert "qemu:///session" in (tmp_path / "snapaudit.yaml").read_text()
    assert snapaudit("rules", "validate", cwd=tmp_path).code == 0
    again = snapaudit("init", cwd=tmp_path)
    assert again.code == 2
    assert "--force" in again.err
    assert snapaudit("init", "--force", cwd=tmp_path).code == 0
    assert snapaudit("init", "--yes", cwd=tmp_path).code == 0


def test_every_missing_image_is_a_critical_finding(tmp_path: Path) -> None:
    lost = vm("web01", disks=(disk(layer(exists=False, size_bytes=None)),))
    (tmp_path / "i.json").write_bytes(inventories_document([inventory(lost)], compress=False))
    ran = on_saved(tmp_path, "audit", "-f", "json")
    rules = {f["rule"]: f["severity"] for f in json.loads(ran.out)["findings"]}
    assert rules["broken-chain"] == "critical"


# what to do where nothing is there yet ------------------------------------------------------------


def test_configuration_without_endpoints_is_named(tmp_path: Path) -> None:
    (tmp_path / "snapaudit.yaml").write_text("version: 1\n", encoding="utf-8")
    ran = snapaudit("audit", cwd=tmp_path)
    assert ran.code == 2
    assert f"under `endpoints:` in {tmp_path / 'snapaudit.yaml'}" in ran.err


def test_state_folder_that_cannot_be_used_costs_an_audit_its_memory_alone(saved: Path) -> None:
    (saved / ".snapaudit").write_text("a file", encoding="utf-8")
    ran = snapaudit("audit", "--inventory", "i.json", cwd=saved)
    assert ran.code == 1
    assert "web01" in ran.out
    assert ran.err.count("\n") == 1
    assert "the result" in ran.err or "its result is complete" in ran.err


@pytest.mark.parametrize("word", ["list", "validate"])
def test_rules_are_listed_and_found_valid_where_and_only_as_it_was_asked(
    tmp_path: Path, word: str
) -> None:
    printed = snapaudit("rules", word, cwd=tmp_path).out
    ran = snapaudit("rules", word, "-o", "there.txt", cwd=tmp_path)
    assert (ran.code, ran.out) == (0, "")
    assert (tmp_path / "there.txt").read_text() == printed
    other = snapaudit("rules", word, "-f", "json", cwd=tmp_path)
    assert (other.code, other.out) == (2, "")
    assert "there are text" in other.err
