"""Plan files: only what was sealed here, and not touched since, is a plan."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from snapaudit.codec.strict import pretty
from snapaudit.enforce.sealing import (
    digest_of,
    known_plans,
    read_plan,
    reseal,
    seal,
    write_plan,
)
from snapaudit.enforce.state import State, prepare
from snapaudit.errors import InputError, RefusedError, SnapauditError
from snapaudit.model.plan import Decision
from tests.builders import NOW
from tests.enforce.planned import action, plan

Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture
def path(state: State) -> Path:
    return write_plan(state, plan(action("a1"), action("a2")))


def edited(path: Path, edit: Edit, *, with_digest: bool = False) -> Path:
    document = json.loads(path.read_bytes())
    edit(document)
    if with_digest:
        document["digest"] = digest_of(document)
    path.write_bytes(pretty(document))
    return path


def skip_first(document: dict[str, Any]) -> None:
    document["actions"][0]["decision"] = "skip"
    document["actions"][0]["note"] = "keep until the release"


# sealing and reading ------------------------------------------------------------------------------


def test_grd_05_plan_is_read_back_as_it_was_made(state: State) -> None:
    made = plan(action(note="grün \u202e\x1b[2J\u2028 end"))
    path = write_plan(state, made)
    read, document = read_plan(state, path)
    assert read == replace(made, digest=document["digest"])
    assert path.read_bytes() == (state.sealed / path.name).read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_grd_31_plan_file_shows_nothing_that_hides_or_commands(state: State) -> None:
    text = seal(plan(action(note="grün \u202e\x9b2J\u2028\U000e0001"))).decode()
    assert "grün" in text
    assert all(char.isprintable() or char == "\n" for char in text)
    assert text.endswith("}\n")


def test_tst_15_equal_plans_give_equal_bytes() -> None:
    assert seal(plan()) == seal(plan())
    assert json.loads(seal(plan()))["digest"] == digest_of(json.loads(seal(plan())))


def test_digest_covers_everything_but_itself() -> None:
    document = json.loads(seal(plan()))
    assert digest_of({**document, "digest": "x"}) == digest_of(document)
    assert digest_of({**document, "unknown": 1}) != digest_of(document)


def test_plan_that_could_not_be_read_back_is_not_written(state: State) -> None:
    with pytest.raises(SnapauditError, match="not written"):
        write_plan(state, plan(action(vm_name="a\ud800")))
    assert list(state.plans.iterdir()) == list(state.sealed.iterdir()) == []


def test_grd_33_id_that_leads_out_of_the_folder_is_refused(state: State) -> None:
    for name in ("../x", "a/b", "", ".", "a\n", "é", "a" * 65):
        with pytest.raises(RefusedError, match="id"):
            write_plan(state, plan(id=name))


def test_known_plans_are_listed_newest_first(state: State) -> None:
    for name, age in (("b", 1), ("a", 3), ("c", 2)):
        write_plan(state, plan(id=name, planned_at=NOW - timedelta(hours=age)))
    (state.sealed / "c.json").unlink()
    (state.plans / "foreign.json").write_text("{}")
    write_plan(state, plan(id="d"))
    (state.plans / "d.json").unlink()
    write_plan(state, plan(id="unreadable"))
    (state.sealed / "unreadable.json").write_text("{")
    assert [path.stem for path in known_plans(state)] == ["b", "a", "unreadable"]


# edited and tampered with -------------------------------------------------------------------------


def test_b5_s5_one_bit_flipped_anywhere_never_gives_another_plan(state: State, path: Path) -> None:
    sealed, _ = read_plan(state, path)
    whole = path.read_bytes()
    accepted = 0
    for position in range(0, len(whole), 3):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        try:
            read, _ = read_plan(state, path)
        except (RefusedError, InputError):
            continue
        assert read == sealed, "a byte between the tokens at most"
        accepted += 1
    assert accepted < 5


@pytest.mark.parametrize(
    "edit",
    [
        skip_first,
        lambda at: at.update(expires_at="2036-01-01T00:00:00Z"),
        lambda at: at["actions"].reverse(),
        lambda at: at["actions"].pop(),
        lambda at: at["actions"][0].update(needs_bytes=-1),
        lambda at: at["actions"][0]["expects"]["snapshot"].update(identity=None),
        lambda at: at.update(extra="field"),
        lambda at: at.update(digest=None),
        lambda at: at.pop("digest"),
    ],
)
def test_inv_10_edited_plan_is_refused_with_the_way_to_sign_it_off(
    state: State, path: Path, edit: Edit
) -> None:
    with pytest.raises(RefusedError, match=r"edited after it was sealed.*--reseal"):
        read_plan(state, edited(path, edit))


def test_s5_edited_plan_with_its_digest_reckoned_anew_is_refused(state: State, path: Path) -> None:
    with pytest.raises(RefusedError, match="tampered"):
        read_plan(state, edited(path, skip_first, with_digest=True))


def test_s5_plan_of_another_id_or_from_elsewhere_is_refused(state: State, path: Path) -> None:
    write_plan(state, plan(id="plan-2", author="bob"))
    with pytest.raises(RefusedError, match="tampered"):
        read_plan(state, edited(path, lambda at: at.update(id="plan-2"), with_digest=True))
    with pytest.raises(RefusedError, match="no plan plan-3 was made in"):
        read_plan(state, edited(path, lambda at: at.update(id="plan-3"), with_digest=True))
    with pytest.raises(RefusedError, match="id was edited"):
        read_plan(state, edited(path, lambda at: at.update(id="../x"), with_digest=True))


def test_plan_may_lie_anywhere_as_long_as_it_was_made_here(
    state: State, path: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(path, tmp_path / "copy.json"))
    assert read_plan(state, copy) == read_plan(state, path)


def test_registered_copy_that_was_edited_is_refused(state: State, path: Path) -> None:
    edited(state.sealed / path.name, skip_first)
    with pytest.raises(RefusedError, match="never edited by hand"):
        read_plan(state, path)


def test_unknown_version_is_wrong_input_even_if_sealed(state: State) -> None:
    path = write_plan(state, plan(schema="snapaudit/plan@2"))
    with pytest.raises(InputError, match="expected schema 'snapaudit/plan@1'"):
        read_plan(state, path)


# no plan at all -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not complete JSON"),
        (b'{"a": 1', "not complete JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "no JSON object"),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "'c' twice"),
        (b'{"a": 1.0}', "1.0, which is no whole number"),
        (b'{"a": 1e3}', "no whole number"),
        (b'{"a": NaN}', "no whole number"),
        (b'{"a": -Infinity}', "no whole number"),
        (b'{"a": ' + b"9" * 21 + b"}", "more than 20 digits"),
        (b'{"a": ' + b"9" * 9999 + b"}", "more than 20 digits"),
        (b'{"a": [true]}', "true or false"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, "deeper than 16"),
        (b'{"a":' + b"[" * 100_000, "deeper than 16"),
    ],
)
def test_b5_b12_what_is_no_plan_file_is_wrong_input(
    state: State, path: Path, body: bytes, reason: str
) -> None:
    path.write_bytes(body)
    with pytest.raises(InputError, match=reason):
        read_plan(state, path)


def test_grd_06_sixteen_levels_are_not_too_deep(state: State, path: Path) -> None:
    path.write_bytes(b'{"a":' * 16 + b"1" + b"}" * 16)
    with pytest.raises(RefusedError, match="edited"):
        read_plan(state, path)


def test_grd_06_plan_of_more_than_64_mib_is_not_read(state: State, path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(64 * 2**20 + 1)
    with pytest.raises(InputError, match="64 MiB"):
        read_plan(state, path)


def test_plan_that_does_not_exist_is_wrong_input(state: State) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_plan(state, state.plans / "none.json")


# whose file it is ---------------------------------------------------------------------------------


def test_grd_07_link_pipe_and_folder_are_refused(state: State, path: Path, tmp_path: Path) -> None:
    link, pipe = tmp_path / "link.json", tmp_path / "pipe.json"
    link.symlink_to(path)
    os.mkfifo(pipe)
    for wrong, reason in ((link, "symbolic link"), (pipe, "not a file"), (tmp_path, "not a file")):
        with pytest.raises(RefusedError, match=reason):
            read_plan(state, wrong)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_grd_07_plan_that_others_may_write_is_refused(state: State, path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(RefusedError, match="others may write to it"):
        read_plan(state, path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_grd_07_plan_of_another_user_is_refused(state: State, path: Path) -> None:
    os.chown(path, 65534, 65534)
    with pytest.raises(RefusedError, match="another user"):
        read_plan(state, path)


# reseal -------------------------------------------------------------------------------------------

LATER = NOW + timedelta(hours=1)


def test_reseal_signs_off_decisions_and_notes_and_names_the_reviewer(
    state: State, path: Path
) -> None:
    before, _ = read_plan(state, path)
    signed = reseal(state, edited(path, skip_first), "bob", LATER)
    assert (signed.reviewer, signed.reviewed_at) == ("bob", LATER)
    assert signed.actions[0].decision is Decision.SKIP
    assert signed.actions[0].note == "keep until the release"
    assert signed.digest != before.digest
    assert read_plan(state, path)[0] == signed
    assert path.read_bytes() == (state.sealed / path.name).read_bytes()


def test_reseal_can_be_repeated_and_signs_off_an_unedited_plan(state: State, path: Path) -> None:
    reseal(state, path, "bob", NOW)
    reseal(state, edited(path, skip_first), "eve", LATER)
    assert read_plan(state, path)[0].reviewer == "eve"


def test_reseal_of_a_copy_elsewhere_signs_off_every_copy(
    state: State, path: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(path, tmp_path / "copy.json"))
    signed = reseal(state, edited(copy, skip_first), "bob", LATER)
    assert read_plan(state, copy)[0] == read_plan(state, path)[0] == signed


def test_reseal_after_a_crash_between_its_copies_is_repeated(state: State, path: Path) -> None:
    edited(path, skip_first)
    half_done = path.read_bytes()
    reseal(state, path, "bob", LATER)
    path.write_bytes(half_done)
    with pytest.raises(RefusedError, match="--reseal"):
        read_plan(state, path)
    assert reseal(state, path, "bob", LATER).actions[0].decision is Decision.SKIP


@pytest.mark.parametrize("with_digest", [False, True])
@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (lambda at: at.update(expires_at="2036-01-01T00:00:00Z"), "expires_at"),
        (lambda at: at["actions"][1].update(vm_id="id-db01"), r"actions\[1\].vm_id"),
        (
            lambda at: at["actions"][0]["expects"]["disks"][0]["paths"].append("/x"),
            r"actions\[0\].expects.disks\[0\].paths",
        ),
        (lambda at: at["actions"].pop(), "actions"),
        (lambda at: at["actions"].append(at["actions"][0]), "actions"),
        (lambda at: at["limits"].update(max_actions=99), "limits.max_actions"),
        (lambda at: at["managers"][0].update(decision="x"), r"managers\[0\].decision"),
        (lambda at: at.update(zzz=1), "zzz"),
        (lambda at: at["actions"][0].update(zzz=1), r"actions\[0\].zzz"),
        (lambda at: at["excess"].append({}), r"excess\.0"),
    ],
)
def test_reseal_names_the_first_field_a_reviewer_may_not_change(
    state: State, path: Path, edit: Edit, field: str, with_digest: bool
) -> None:
    registered = (state.sealed / path.name).read_bytes()
    before = edited(path, edit, with_digest=with_digest).read_bytes()
    with pytest.raises((RefusedError, InputError), match=field):
        reseal(state, path, "bob", LATER)
    assert path.read_bytes() == before
    assert (state.sealed / path.name).read_bytes() == registered


@pytest.mark.parametrize("decision", ["maybe", "", None, 1, "APPLY"])
def test_reseal_refuses_a_decision_that_is_none(state: State, path: Path, decision: object) -> None:
    edited(path, lambda at: at["actions"][0].update(decision=decision))
    with pytest.raises(InputError, match=r"actions\.0\.decision"):
        reseal(state, path, "bob", LATER)


def test_reseal_of_a_plan_made_elsewhere_is_refused(state: State, tmp_path: Path) -> None:
    other = State(tmp_path / "other")
    prepare(other)
    path = write_plan(other, plan(id="foreign"))
    with pytest.raises(RefusedError, match="no plan foreign was made in"):
        reseal(state, path, "bob", LATER)


def test_missing_decision_of_a_sealed_plan_is_no_default(state: State, path: Path) -> None:
    edited(path, lambda at: at["actions"][0].pop("decision"))
    with pytest.raises(InputError, match="decision"):
        reseal(state, path, "bob", LATER)


def test_grd_06_plan_that_nobody_could_review_is_not_written(state: State) -> None:
    huge = plan(*(action(f"a{n}", note="x" * 2**20) for n in range(65)))
    with pytest.raises(RefusedError, match=r"65 snapshots is larger than 64 MiB.*--endpoint"):
        write_plan(state, huge)
    assert known_plans(state) == ()
