from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from snapaudit.codec.yaml import Node, parse_yaml
from snapaudit.errors import InputError, Place
from snapaudit.model.policy import Comparison, Environment, Mode, Policy, Rule, Severity
from snapaudit.rules.levels import levels_in
from snapaudit.rules.loader import builtin_folder, load_policy

PROD = Environment(name="prod", tags=frozenset({"prod"}))
GOOD = """\
id: my-rule
title: A rule
subject: snapshot
levels:
  warning: {age: {over: 3d}}
why: Because.
fix: Do it.
"""


def load(folder: Path) -> Policy:
    return load_policy([folder], disable={}, levels={}, environments=(PROD,))


def written(folder: Path, text: str, name: str = "my-rule.yaml") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def rule_of(policy: Policy, rule_id: str) -> Rule:
    (rule,) = [rule for rule in policy.rules if rule.id == rule_id]
    return rule


Levels = dict[str, dict[str, dict[str, Node]]]


def levels(text: str) -> Levels:
    """The nodes as the configuration hands them over: rule, environment, grade."""
    root = parse_yaml(text, "snapaudit.yaml").value
    assert isinstance(root, dict)
    found: Levels = {}
    for rule, environments in root.items():
        assert isinstance(environments.value, dict)
        grades = {name: node.value for name, node in environments.value.items()}
        found[rule] = {name: grade for name, grade in grades.items() if isinstance(grade, dict)}
    return found


REMEDY = "fix: Do it.\nremedy: delete-snapshot"
MARKING = f"{REMEDY}\nmode: mark\ngrace: 7d"
CASES = "fix: Do it.\ncases: "
MISTAKES = [
    ("levels:\n  warning: {age: {over: 3d}}\n", "", "1:1", "the key 'levels' is missing"),
    ("why: Because.", "wyh: Because.", "6:1", "unknown key 'wyh'", "why"),
    ("subject: snapshot", "subject: snapshoot", "3:10", "expected one of snapshot", "snapshot"),
    ("id: my-rule", "id: My Rule", "1:5", "expected an id of small letters"),
    ("id: my-rule", "id: other-rule", "1:5", "the id 'other-rule' and the name of the file"),
    ("title: A rule", "title: ''", "2:8", "expected text"),
    ("warning:", "wurning:", "5:3", "unknown key 'wurning'", "warning"),
    ("{age:", "{aeg:", "5:13", "unknown fact 'aeg' about a snapshot", "age"),
    ("{age:", "{longest_chain:", "5:13", "is a fact about a virtual-machine, not about a snapshot"),
    ("{over: 3d}", "{ovr: 3d}", "5:19", "the operator 'ovr' does not fit age", "over"),
    ("{over: 3d}", "{is: 3d}", "5:19", "the operator 'is' does not fit age, which is a duration"),
    ("{over: 3d}", "3d", "5:18", "expected one operator (over, at_least, under, at_most)"),
    ("{over: 3d}", "{over: 3d, under: 9d}", "5:18", "expected one operator (over"),
    ("{over: 3d}", "{over: 3}", "5:25", "write a number with s, m, h, d or w"),
    ("{over: 3d}", "{over: 3GiB}", "5:25", "is no duration"),
    ("{age: {over: 3d}}", "{size: {over: 20}}", "5:26", "write a number with B, MB, GB, MiB"),
    ("{age: {over: 3d}}", "{share_of_disks: {over: 0.5}}", "5:36", "write it in percent"),
    ("{age: {over: 3d}}", "{makeshift_score: {over: 60%}}", "5:37", "expected a whole number"),
    ("{age: {over: 3d}}", "{has_memory: {is: 'yes'}}", "5:30", "expected true or false"),
    ("{age: {over: 3d}}", "{name: {matches: 'a('}}", "5:29", "missing ): a("),
    ("{age: {over: 3d}}", "{name: {matches: '(?=a)'}}", "5:29", "invalid perl operator"),
    ("{age: {over: 3d}}", "{name: {matches: '(\\pL{1,99}){1,9}'}}", "5:29", "smaller repetitions"),
    ("{age: {over: 3d}}", "{unles: {age: {over: 3d}}}", "5:13", "unknown fact", "unless"),
    ("{age: {over: 3d}}", "{not: [{age: {over: 3d}}]}", "5:18", "expected a mapping, found a list"),
    ("{age: {over: 3d}}", "{kind: {in: []}}", "5:24", "'in' needs at least one word"),
    ("{age: {over: 3d}}", "{vm_power: {is: offf}}", "5:28", "vm_power is one of on, off", "off"),
    ("{age: {over: 3d}}", "{vm_power: {is: unknown}}", "5:28", "on, off, suspended, paused;"),
    ("{age: {over: 3d}}", "{purpose: {in: [backup]}}", "5:28", "purpose is one of", None),
    ("{age: {over: 3d}}", "{kind: {in: internal}}", "5:24", "expected a list"),
    ("{age: {over: 3d}}", "{}", "5:12", "an empty condition would hold for everything"),
    ("{age: {over: 3d}}", "{any: []}", "5:18", "'any' needs at least one condition"),
    ("{age: {over: 3d}}", "{any: [{all: [{agee: {over: 3d}}]}]}", "5:27", "unknown fact", "age"),
    ("fix: Do it.", "fix: Do it.\nremedy: consolidate", "8:9",
     "consolidate is for rules about a virtual-machine, not about a snapshot"),
    ("fix: Do it.", "fix: Do it.\nmode: apply", "8:7", "mode 'apply' needs a remedy"),
    ("fix: Do it.", "fix: Do it.\nmode: mark\ngrace: 7d", "8:7", "mode 'mark' needs a remedy"),
    ("fix: Do it.", f"{REMEDY}\nmode: mark", "9:7", "mode 'mark' needs a grace, as in grace: 7d"),
    ("fix: Do it.", f"{REMEDY}\nmode: mark\ngrace: 7", "10:8", "like 3d or 12h, found 7"),
    ("fix: Do it.", f"{REMEDY}\nmode: mark\ngrace: 0d", "10:8", "a grace of nothing announces"),
    ("fix: Do it.", f"{REMEDY}\nmode: apply\ngrace: 7d", "10:1", "grace is for mode 'mark'"),
    ("fix: Do it.", f"{REMEDY}\ngrace: 7d", "9:1", "grace is for mode 'mark'"),
    ("fix: Do it.", "fix: Do it.\nwith_memory: true", "8:1", "with_memory needs remedy: delete-"),
    ("fix: Do it.", f"{REMEDY}\nwith_memory: 1", "9:14", "expected true or false, found 1"),
    ("fix: Do it.", f"{MARKING}\nnotice: 2", "11:9", "like 3d or 12h, found 2"),
    ("fix: Do it.", f"{MARKING}\nnotice: 7d", "11:9", "shorter than the grace"),
    ("fix: Do it.", f"{MARKING}\nnotice: 0d", "11:9", "longer than nothing"),
    ("fix: Do it.", "fix: Do it.\nnotice: 2d", "8:1", "notice is for mode 'mark'"),
    ("fix: Do it.", "fix: Do it.\nenvironments: {prd: {info: {age: {over: 1d}}}}", "8:16",
     "there is no environment 'prd'; known: default, prod", "prod"),
    ("fix: Do it.", f"{CASES}[]", "8:8", "write at least one case"),
    ("fix: Do it.", f"{CASES}[{{given: {{age: 4d}}}}]", "8:9", "the key 'expect' is missing"),
    ("fix: Do it.", f"{CASES}[{{given: {{agee: 4d}}, expect: none}}]", "8:18", "no fact", "age"),
    ("fix: Do it.", f"{CASES}[{{given: {{age: 4}}, expect: none}}]", "8:23", "write a number with"),
    ("fix: Do it.", f"{CASES}[{{given: {{}}, expect: waring}}]", "8:29", "expected one", "warning"),
    ("fix: Do it.", f"{CASES}[{{given: {{}}, expect: [none, undetermined]}}]", "8:29",
     "stands alone"),
    ("fix: Do it.", f"{CASES}[{{given: {{}}, expect: [info, warning]}}]", "8:29", "or a level and"),
    ("fix: Do it.", f"{CASES}[{{given: {{}}, expect: none, environment: prod}}]", "8:48",
     "there is no environment 'prod'; known: default", None),
    ("fix: Do it.", "fix: Do it.\nmode: delete", "8:7", "expected one of report, mark, apply"),
    ("fix: Do it.", "fix: Do it.\nid: twice", "8:1", "the key 'id' stands twice"),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[1].strip()[:40])
def test_mistake_is_told_with_its_place_and_the_nearest_word(
    tmp_path: Path, mistake: tuple[str, ...]
) -> None:
    old, new, place, message, *near = mistake
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        load(written(tmp_path, GOOD.replace(old, new)))
    error = caught.value
    assert str(error.place) == f"{tmp_path / 'my-rule.yaml'}:{place}"
    assert message in error.message
    if near and near[0]:
        assert error.nearest == near[0]


def test_grd_15_rule_that_marks_says_for_how_long_it_announces(tmp_path: Path) -> None:
    text = f"{GOOD}remedy: delete-snapshot\nmode: mark\ngrace: 7d\n"
    rule = rule_of(load(written(tmp_path, text)), "my-rule")
    assert (rule.mode, rule.grace, rule.notice) == (Mode.MARK, timedelta(days=7), None)
    reminding = load(written(tmp_path, f"{text}notice: 2d\n"))
    assert rule_of(reminding, "my-rule").notice == timedelta(days=2)


def test_grd_14_rule_means_snapshots_with_memory_only_where_it_says_so(tmp_path: Path) -> None:
    text = f"{GOOD}remedy: delete-snapshot\n"
    assert rule_of(load(written(tmp_path, text)), "my-rule").with_memory is False
    more = written(tmp_path, f"{text}with_memory: true\n")
    assert rule_of(load(more), "my-rule").with_memory is True


def test_grd_14_consolidation_knows_no_snapshot_with_memory(tmp_path: Path) -> None:
    machine = GOOD.replace("subject: snapshot", "subject: virtual-machine")
    text = f"{machine.replace('age: {over: 3d}', 'snapshots: {over: 3}')}remedy: consolidate\n"
    text += "with_memory: true\n"
    with pytest.raises(InputError, match="with_memory needs remedy: delete-snapshot"):
        load(written(tmp_path, text))


def test_conditions_nest_to_a_bound_depth_only(tmp_path: Path) -> None:
    deep = "{age: {over: 3d}}"
    for _ in range(8):
        deep = f"{{all: [{deep}]}}"
    with pytest.raises(InputError, match="nest deeper than 6 levels"):
        load(written(tmp_path, GOOD.replace("{age: {over: 3d}}", deep)))


def test_site_rule_replaces_the_rule_of_the_pack_as_a_whole(tmp_path: Path) -> None:
    text = GOOD.replace("my-rule", "stale-snapshot").replace("3d", "10d")
    rule = rule_of(load(written(tmp_path, text, "stale-snapshot.yaml")), "stale-snapshot")
    age = Comparison(fact="age", operator="over", bound=timedelta(days=10))
    assert rule.levels == {Severity.WARNING: age}
    assert (rule.environment_levels, rule.remedy) == ({}, None)


def test_two_files_of_one_folder_cannot_hold_one_rule(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    with pytest.raises(InputError, match=r"the rule 'my-rule' stands in .*my-rule.yaml too"):
        load(written(tmp_path, GOOD, "my-rule.yml"))


def test_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder of rules: No such file"):
        load(tmp_path / "absent")


def test_rules_come_in_the_order_of_their_ids() -> None:
    ids = [rule.id for rule in load(builtin_folder()).rules]
    assert ids == sorted(ids)


def test_disabled_rule_is_left_out_and_remembered() -> None:
    place = Place("snapaudit.yaml", 3, 5)
    policy = load_policy((), disable={"long-chain": place}, levels={}, environments=())
    assert "long-chain" not in {rule.id for rule in policy.rules}
    assert policy.disabled == ("long-chain",)


def test_unknown_rule_to_disable_is_told_where_it_stands() -> None:
    place = Place("snapaudit.yaml", 3, 5)
    with pytest.raises(InputError) as caught:
        load_policy((), disable={"long-chian": place}, levels={}, environments=())
    assert (caught.value.place, caught.value.nearest) == (place, "long-chain")


def with_site_levels(text: str) -> Policy:
    return load_policy((), disable={}, levels=levels(text), environments=(PROD,))


def test_bound_alone_replaces_that_of_a_level_with_one_comparison() -> None:
    rule = rule_of(with_site_levels("stale-snapshot: {prod: {warning: 12h}}"), "stale-snapshot")
    prod = levels_in(rule, "prod")
    assert prod[Severity.WARNING] == Comparison(
        fact="age", operator="over", bound=timedelta(hours=12)
    )
    assert prod[Severity.CRITICAL] == Comparison(
        fact="age", operator="over", bound=timedelta(hours=72)
    )
    assert levels_in(rule, None) == rule.levels


def test_default_stands_for_machines_in_no_environment() -> None:
    text = "stale-snapshot: {default: {critical: 5d}}"
    rule = rule_of(with_site_levels(text), "stale-snapshot")
    changed, prod = levels_in(rule, None)[Severity.CRITICAL], levels_in(rule, "prod")
    assert changed == Comparison(fact="age", operator="over", bound=timedelta(days=5))
    assert prod[Severity.CRITICAL] == Comparison(
        fact="age", operator="over", bound=timedelta(hours=72)
    )


def test_whole_condition_may_stand_where_a_bound_does_not_say_enough() -> None:
    text = "long-chain: {default: {info: {longest_chain: {at_least: 8}}}}"
    rule = rule_of(with_site_levels(text), "long-chain")
    assert set(levels_in(rule, None)) == {Severity.INFO, Severity.WARNING, Severity.CRITICAL}


WRONG_LEVELS = [
    ("stale-snapshot: {prod: {warning: 24}}", "1:34", "write a number with s, m, h, d or w", None),
    ("stale-snapshot: {prod: {warnin: 24h}}", "1:25", "unknown level 'warnin'", "warning"),
    ("stale-snapshot: {prd: {warning: 24h}}", "1:24", "no environment 'prd'", "prod"),
    ("stale: {prod: {warning: 24h}}", "1:16", "there is no rule 'stale'", "stale-snapshot"),
    ("memory-snapshot: {prod: {warning: 9h}}", "1:35", "holds more than one comparison", None),
    ("long-chain: {prod: {info: 9}}", "1:27", "is not there", None),
]


@pytest.mark.parametrize(("text", "place", "message", "near"), WRONG_LEVELS)
def test_wrong_level_of_the_configuration_is_told_with_its_place(
    text: str, place: str, message: str, near: str | None
) -> None:
    with pytest.raises(InputError) as caught:
        with_site_levels(text)
    assert str(caught.value.place) == f"snapaudit.yaml:{place}"
    assert message in caught.value.message
    assert caught.value.nearest == near
