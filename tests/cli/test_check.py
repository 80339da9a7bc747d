"""``check`` on the command line: its exit codes, what it says where it fails, and its files."""

from __future__ import annotations

import itertools
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from snapaudit.cli import run
from snapaudit.codec.documents import inventories_document
from snapaudit.model.inventory import Coverage, CoverageState, Inventory
from snapaudit.model.policy import Policy
from snapaudit.report.check.formats import CHECK_FORMATS
from snapaudit.rules.loader import load_policy
from tests.builders import GIB, datastore, inventory, snapshot, vm
from tests.cli.running import Ran, snapaudit

NOW = ("--now", "2026-06-01T12:00:00Z")
_AGES = {"none": "1h", "warning": "5d", "critical": "9d"}
_OPTIONS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "fail-on warning": ("--fail-on", "warning"),
    "fail-on critical": ("--fail-on", "critical"),
    "many warnings allowed": ("--max-findings", "warning=5"),
    "a budget that is not kept": ("--max-bytes", "1B"),
    "a critical one": ("--max-bytes", "critical=1B"),
}
_STATES = (CoverageState.MISSING, CoverageState.PARTIAL, CoverageState.SUSPICIOUS)


def endpoint(name: str, age: str | None, state: CoverageState) -> Inventory:
    whole = state is CoverageState.COMPLETE
    coverage = Coverage(state=state, reason=None if whole else "rights are missing")
    shots = () if age is None else (snapshot("s", age=age, description="CHG-1", creator="ada"),)
    machines = () if state is CoverageState.MISSING else (vm("web01", *shots),)
    return inventory(*machines, endpoint=name, coverage=coverage, manager_id=f"of {name}")


def save(folder: Path, *seen: Inventory) -> None:
    (folder / "i.json").write_bytes(inventories_document(seen, compress=False))


def expected(is_blind: bool, worst: str, form: str, option: str) -> int:
    """The page on commands in a few lines: critical over unknown over warning over ok."""
    asks_for_findings = form != "sarif" or option.startswith("fail-on")
    said = {0}
    if is_blind:
        said.add(3)
    if asks_for_findings and worst == "critical":
        said.add(2)
    warns = worst == "warning" and option not in ("fail-on critical", "many warnings allowed")
    if asks_for_findings and warns:
        said.add(1)
    if option == "a budget that is not kept":
        said.add(1)
    if option == "a critical one":
        said.add(2)
    return next(code for code in (2, 3, 1, 0) if code in said)


def _blind_sets() -> Iterator[dict[str, CoverageState]]:
    """Every subset of the two, each in one of the states that are not whole."""
    states = itertools.cycle(_STATES)
    for count in range(3):
        for names in itertools.combinations(("hv1", "kvm2"), count):
            yield {name: next(states) for name in names}


@pytest.fixture(scope="module")
def pack() -> Policy:
    return load_policy((), disable={}, levels={}, environments=())


@pytest.mark.parametrize("form", CHECK_FORMATS)
@pytest.mark.parametrize("worst", _AGES)
def test_exit_codes_are_as_the_table_says(
    form: str,
    worst: str,
    pack: Policy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    """Every subset of endpoints not seen whole x findings x format x option."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("snapaudit.cli.reading.policy_of", lambda *_: pack)
    for blind in _blind_sets():
        whole = CoverageState.COMPLETE
        save(
            tmp_path,
            endpoint("kvm1", _AGES[worst], whole),
            *(endpoint(name, None, blind.get(name, whole)) for name in ("hv1", "kvm2")),
        )
        for option, words in _OPTIONS.items():
            code = run(["check", "--inventory", "i.json", *NOW, "-f", form, *words])
            out, err = capfdbinary.readouterr()
            assert code == expected(bool(blind), worst, form, option), (blind, option, err)
            for name in blind:
                assert name.encode() in out, (form, blind)


@pytest.mark.parametrize("form", CHECK_FORMATS)
def test_nothing_visible_is_unknown_in_every_format(
    form: str, tmp_path: Path, pack: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("snapaudit.cli.reading.policy_of", lambda *_: pack)
    save(tmp_path, endpoint("kvm1", None, CoverageState.MISSING))
    assert run(["check", "--inventory", "i.json", *NOW, "-f", form]) == 3


# What cannot be checked -----------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shots = (snapshot("a", age="5d"), snapshot("b", age="9d", parent_id="a"))
    seen = inventory(vm("web01", *shots), datastores=(datastore("san [1]"), datastore("pool-1")))
    save(tmp_path, seen)
    return tmp_path


def checking(folder: Path, *arguments: str) -> Ran:
    return snapaudit("check", "--inventory", "i.json", *NOW, *arguments, cwd=folder)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--bogus",), "No such option"),
        (("-f", "nagois"), "did you mean 'nagios'"),
        (("--rule", "stale-snapshots"), "did you mean 'stale-snapshot'"),
        (("--datastore", "pool-2"), "did you mean 'pool-1'"),
        (("--endpoint", "kvm2"), "did you mean 'kvm1'"),
        (("--endpoint", "x*"), "there is no endpoint 'x*'"),
        (("--max-findings", "5"), "expected SEVERITY=N"),
        (("--max-findings", "critcal=5"), "did you mean 'critical'"),
        (("--max-stale", "many"), "expected a whole number"),
        (("--max-stale", "-1"), "expected a whole number"),
        (("--max-stale", "info=1"), "expected one of warning, critical"),
        (("--max-bytes", "5"), "--max-bytes: '5' is no size"),
        (("--min-days-to-full", "soon"), "--min-days-to-full: 'soon' is no duration"),
        (("--min-coverage", "2"), "write it in percent"),
        (("--min-coverage", "120%"), "at most 100%"),
        (("--max-new", "1"), "--baseline FILE"),
        (("--fail-on-new",), "--baseline FILE"),
        (("--baseline", "none.json"), "there is no such file"),
        (("--baseline", "a", "--write-baseline", "b"), "cannot be combined"),
        (("--config", "none.yaml"), "none.yaml"),
    ],
)
def test_what_cannot_be_checked_is_unknown_with_one_line_on_both_streams(
    folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = checking(folder, *arguments)
    assert ran.code == 3
    assert said in ran.err
    assert ran.err.count("\n") == 1
    if arguments[0] != "-f":
        assert ran.out.startswith("UNKNOWN: ")
        assert said in ran.out


@pytest.mark.parametrize(
    ("form", "start"),
    [("nagios", "SNAPAUDIT UNKNOWN - "), ("checkmk", '3 "snapaudit" - '), ("text", "UNKNOWN: ")],
)
def test_monitoring_reads_why_it_failed_in_its_own_words(
    folder: Path, form: str, start: str
) -> None:
    for words in (("-f", form), (f"--format={form}",), (f"-f{form}",)):
        ran = snapaudit("check", *words, "--inventory", "none|x.json", cwd=folder)
        assert ran.code == 3
        assert ran.out.startswith(start)
        assert "|" not in ran.out or form != "nagios"
        assert ran.out.count("\n") == 1


def test_a_document_that_could_not_be_made_is_empty(folder: Path) -> None:
    assert checking(folder, "-f", "json", "--rule", "none").out == ""


def test_help_that_nobody_reads_is_unknown(folder: Path) -> None:
    assert snapaudit("check", "--help", cwd=folder).code == 3


# Selection, files, baseline -------------------------------------------------------------------


def test_one_datastore_and_one_rule_can_be_watched(folder: Path) -> None:
    assert checking(folder, "--datastore", "san [1]").code == 0
    assert checking(folder, "--datastore", "kvm1/pool-1", "--rule", "datastore-*").code == 0
    assert checking(folder, "--rule", "stale-snapshot").code == 2


def test_endpoints_are_chosen_by_pattern(folder: Path) -> None:
    save(folder, endpoint("prod-1", "9d", CoverageState.COMPLETE),
         endpoint("lab-1", None, CoverageState.COMPLETE))  # fmt: skip
    assert checking(folder, "--endpoint", "lab-*").code == 0
    assert checking(folder, "--endpoint", "prod-*").code == 2


def test_a_file_for_node_exporter_can_be_read_by_it_and_leaves_nothing_else(folder: Path) -> None:
    (folder / "textfile").mkdir()
    ran = checking(folder, "-o", "prometheus=textfile/snapaudit.prom", "-o", "json=c.json")
    assert (ran.code, ran.out) == (2, "")
    assert [path.name for path in (folder / "textfile").iterdir()] == ["snapaudit.prom"]
    mode = (folder / "textfile/snapaudit.prom").stat().st_mode
    assert stat.S_IMODE(mode) == 0o644
    assert stat.S_IMODE((folder / "c.json").stat().st_mode) == 0o600


def test_sarif_beside_another_format_exits_as_that_does(folder: Path) -> None:
    assert checking(folder, "-o", "sarif=a.sarif").code == 0
    assert checking(folder, "-f", "text", "-o", "sarif=a.sarif").code == 2
    assert checking(folder, "-o", "sarif=a.sarif", "--fail-on", "critical").code == 2


def test_the_listing_has_the_lines_that_results_point_to(folder: Path) -> None:
    checking(folder, "-o", "sarif=a.sarif", "--listing", "snapaudit-inventory.txt")
    lines = (folder / "snapaudit-inventory.txt").read_text().splitlines()
    results = json.loads((folder / "a.sarif").read_text())["runs"][0]["results"]
    for one in results:
        place = one["locations"][0]["physicalLocation"]["region"]["startLine"]
        assert "web01" in lines[place - 1]


def test_the_ratchet_from_the_first_run_on(folder: Path) -> None:
    first = checking(folder, "--write-baseline", "known.json", "--fail-on-new")
    assert first.code == 0
    assert "known.json: written" in first.err
    held = ("--baseline", "known.json", "--fail-on-new")
    assert checking(folder, *held).code == 0
    save(folder, inventory(vm("web01", snapshot("a", age="5d"), snapshot("b", age="9d"),
                              snapshot("c", age="5d", size_bytes=2 * GIB))))  # fmt: skip
    ran = checking(folder, *held)
    assert ran.code == 1
    assert "new" in ran.out
    assert checking(folder, *held, "--max-new", "critical=0").code == 2


def test_new_since_the_last_recorded_run(folder: Path) -> None:
    recorded = snapaudit("audit", "--inventory", "i.json", *NOW, "-f", "json", cwd=folder)
    assert recorded.code == 0
    later = ("--now", "2026-06-01T13:00:00Z")
    same = snapaudit("check", "--inventory", "i.json", *later, "--fail-on-new", cwd=folder)
    assert same.code == 0, same.out
    assert "since the run of 2026-06-01T12:00:00Z: 0 new" in same.out
    save(folder, inventory(vm("web01", snapshot("a", age="5d"), snapshot("n", age="6d"))))
    more = snapaudit("check", "--inventory", "i.json", *later, "--max-new", "0", cwd=folder)
    assert "budget new findings" in more.out
    assert more.code == 1
    assert "2 new" in more.out or "1 new" in more.out


def test_an_inventory_that_was_audited_is_compared_with_the_run_before_and_not_with_itself(
    folder: Path,
) -> None:
    earlier = ("--now", "2026-05-31T12:00:00Z")
    assert snapaudit("audit", "--inventory", "i.json", *earlier, "-q", cwd=folder).code == 0
    save(folder, inventory(vm("web01", snapshot("a", age="5d"), snapshot("n", age="6d"))))
    for words in (("audit", *NOW), ("audit",)):  # dated by --now, and by when it was collected
        assert snapaudit(*words, "--inventory", "i.json", "-q", cwd=folder).code == 0
    for words in (("check", *NOW), ("check",)):
        ran = snapaudit(*words, "--inventory", "i.json", "--fail-on-new", cwd=folder)
        assert "since the run of 2026-05-31T12:00:00Z: " in ran.out
        assert ": 0 new" not in ran.out


def test_the_first_run_of_all_is_nothing_to_compare_itself_with(folder: Path) -> None:
    assert snapaudit("audit", "--inventory", "i.json", *NOW, "-q", cwd=folder).code == 0
    ran = checking(folder, "--fail-on-new")
    assert ran.code == 3
    assert "an earlier run" in ran.err


def test_a_check_is_never_recorded(folder: Path) -> None:
    checking(folder)
    assert not (folder / ".snapaudit/history.db").exists()


def test_the_configuration_sets_budgets_and_options_stand_above(folder: Path) -> None:
    (folder / "snapaudit.yaml").write_text(
        "version: 1\ncheck:\n  fail_on: critical\n  max_findings: {critical: 9, warning: 9}\n"
        "  max_stale: {warning: 1, critical: 9}\n  max_bytes: 1TiB\n"
    )
    assert checking(folder).code == 1
    assert checking(folder, "--max-stale", "5").code == 0
    assert checking(folder, "-f", "sarif").code == 0
    assert checking(folder, "-f", "sarif", "--max-stale", "1").code == 1


def test_a_mistake_in_the_configuration_names_line_and_nearest_word(folder: Path) -> None:
    (folder / "snapaudit.yaml").write_text("version: 1\ncheck:\n  max_stael: 3\n")
    ran = checking(folder)
    assert ran.code == 3
    assert "snapaudit.yaml:3:3: unknown key 'max_stael'" in ran.err
    assert "did you mean 'max_stale'" in ran.err
