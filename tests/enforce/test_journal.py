"""The journal: what it writes, what it refuses to write, and what damage it notices."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snapaudit.codec.files import DISK, Disk
from snapaudit.codec.strict import canonical
from snapaudit.enforce.course import Use
from snapaudit.enforce.journal import Journal, read_journal
from snapaudit.enforce.state import State, prepare
from snapaudit.errors import JournalError
from snapaudit.model.journal import Draft, Entry, Event
from tests.builders import NOW
from tests.enforce.planned import draft, resolved


def opened(state: State, disk: Disk = DISK) -> Journal:
    return Journal(state, lambda: NOW, disk)


def written(state: State, *drafts: Draft) -> list[Entry]:
    with opened(state) as journal:
        return [journal.append(one) for one in drafts]


ONE_ACTION = (draft(), draft(Event.SUBMITTED, task_id="job-1"), draft(Event.DONE))


# writing ------------------------------------------------------------------------------------------


def test_entries_are_numbered_chained_and_read_back_equal(state: State) -> None:
    entries = written(state, *ONE_ACTION)
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert [entry.previous for entry in entries[1:]] == [entry.hash for entry in entries[:2]]
    assert entries[0].at == NOW
    assert list(read_journal(state).entries) == entries


def test_journal_goes_on_where_the_last_run_ended(state: State) -> None:
    first = written(state, *ONE_ACTION)
    (second,) = written(state, draft(action_id="a2"))
    assert (second.seq, second.previous) == (4, first[-1].hash)


def test_grd_20_each_entry_is_one_write_and_one_fsync_in_this_order(state: State) -> None:
    seen: list[str] = []

    def write(handle: int, body: bytes) -> int:
        seen.append(f"write {body.count(bytes([10]))} line")
        return os.write(handle, body)

    with opened(state, Disk(write, lambda _: seen.append("sync"))) as journal:
        assert seen == ["sync"], "the folder, since the file may be new"
        journal.append(draft())
        journal.append(draft(Event.SUBMITTED))
    assert seen[1:] == ["write 1 line", "sync"] * 2


def test_journal_is_readable_by_its_owner_alone(state: State) -> None:
    written(state, draft())
    assert state.journal.stat().st_mode & 0o777 == 0o600


def test_names_with_line_breaks_and_broken_unicode_stay_one_line(state: State) -> None:
    detail = {
        "call": "delete",
        "snapshot_id": "a\nb\u2028c\ud800\x00\u202e",
        "n": -(2**63),
        "no": None,
    }
    (entry,) = written(state, draft(detail=detail))
    assert state.journal.read_bytes().isascii()
    assert state.journal.read_bytes().count(b"\n") == 1
    assert read_journal(state).entries == [entry]
    assert entry.detail == detail


@pytest.mark.parametrize(
    "detail",
    [{"a": value} for value in (1.5, True, float("nan"), ["a"], {"a": 1}, b"a")] + [{1: "a"}],
)
def test_detail_that_would_not_read_back_is_never_written(state: State, detail: object) -> None:
    with opened(state) as journal:
        with pytest.raises(JournalError, match="was not written"):
            journal.append(draft(detail=detail))
        assert journal.append(draft()).seq == 1, "nothing was written, so nothing is broken"


def test_resolution_without_a_known_outcome_is_never_written(state: State) -> None:
    with opened(state) as journal:
        journal.append(draft())
        with pytest.raises(JournalError, match="outcome"):
            journal.append(resolved("perhaps"))


def test_closed_journal_writes_nothing(state: State) -> None:
    with opened(state) as journal:
        pass
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.append(draft())


# INV-15 -------------------------------------------------------------------------------------------

OTHER_CALL = {"call": "pivot", "endpoint": "kvm1", "vm_id": "id-a1"}
SUBMITTED, UNKNOWN = draft(Event.SUBMITTED), draft(Event.UNKNOWN)


@pytest.mark.parametrize(
    ("before", "next_one", "reason"),
    [
        ((draft(),), draft(), "nobody has looked"),
        ((draft(),), draft(detail=OTHER_CALL), "nobody has looked"),
        ((draft(), SUBMITTED), draft(), "same call"),
        ((draft(), draft(Event.FAILED)), draft(), "same call"),
        ((draft(), draft(Event.REFUSED)), draft(), "same call"),
        ((draft(), SUBMITTED, draft(detail=OTHER_CALL), SUBMITTED), draft(), "same call"),
        ((draft(), UNKNOWN), draft(detail=OTHER_CALL), "nobody has looked"),
        ((), SUBMITTED, "without an intent"),
        ((draft(), SUBMITTED), SUBMITTED, "without an intent"),
        ((draft(), resolved("continue")), SUBMITTED, "without an intent"),
        (ONE_ACTION, draft(detail=OTHER_CALL), "over"),
        ((draft(Event.ALREADY_GONE),), draft(), "over"),
        ((draft(), resolved("done")), draft(detail=OTHER_CALL), "over"),
        ((draft(), resolved("abandoned")), draft(detail=OTHER_CALL), "over"),
    ],
)
def test_inv_15_a_call_is_never_meant_twice_without_a_look_in_between(
    state: State, before: tuple[Draft, ...], next_one: Draft, reason: str
) -> None:
    with opened(state) as journal:
        for one in before:
            journal.append(one)
        size = state.journal.stat().st_size
        with pytest.raises(JournalError, match=reason):
            journal.append(next_one)
        assert state.journal.stat().st_size == size


@pytest.mark.parametrize(
    "course",
    [
        (draft(), SUBMITTED, draft(detail=OTHER_CALL), SUBMITTED, draft(Event.DONE)),
        (draft(), resolved("no-effect"), draft(), SUBMITTED),
        (draft(), SUBMITTED, UNKNOWN, resolved("no-effect"), draft()),
        (draft(), SUBMITTED, resolved("continue"), draft(detail=OTHER_CALL)),
        (draft(Event.REFUSED), draft(), SUBMITTED),
        (draft(), draft(Event.FAILED), resolved("no-effect"), draft()),
    ],
)
def test_inv_15_what_was_looked_at_or_is_another_call_may_be_meant(
    state: State, course: tuple[Draft, ...]
) -> None:
    assert len(written(state, *course)) == len(course)


@pytest.mark.parametrize("event", [Event.DONE, Event.FAILED, Event.REFUSED, Event.ALREADY_GONE])
def test_inv_16_only_a_resolution_ends_the_unknown(state: State, event: Event) -> None:
    with opened(state) as journal:
        journal.append(draft())
        journal.append(UNKNOWN)
        with pytest.raises(JournalError, match="only a resolution"):
            journal.append(draft(event))
        journal.append(UNKNOWN)
        journal.append(resolved("done"))
        assert journal.open_actions() == ()


def test_inv_15_the_order_is_kept_across_a_restart(state: State) -> None:
    written(state, draft(), SUBMITTED)
    with opened(state) as journal, pytest.raises(JournalError, match="same call"):
        journal.append(draft())


def test_inv_18_no_call_for_a_machine_on_which_another_action_is_open(state: State) -> None:
    same_machine = draft(action_id="b9", plan_id="plan-2", detail=OTHER_CALL)
    with opened(state) as journal:
        journal.append(draft())
        with pytest.raises(JournalError, match="same machine"):
            journal.append(same_machine)
        journal.append(draft(action_id="a2"))  # another machine
        journal.append(draft(Event.DONE))
        journal.append(same_machine)


# questions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("course", "is_open"),
    [
        ((draft(),), True),
        ((draft(), SUBMITTED), True),
        ((draft(), SUBMITTED, UNKNOWN), True),
        ((draft(), SUBMITTED, resolved("continue")), True),
        ((draft(), SUBMITTED, resolved("no-effect")), False),
        ((draft(), SUBMITTED, resolved("abandoned")), False),
        ((draft(), SUBMITTED, resolved("done")), False),
        ((draft(), SUBMITTED, draft(Event.FAILED)), False),
        ((draft(Event.REFUSED),), False),
        (ONE_ACTION, False),
    ],
)
def test_grd_22_open_is_what_nobody_knows_the_end_of(
    state: State, course: tuple[Draft, ...], is_open: bool
) -> None:
    written(state, *course)
    found = read_journal(state).open_actions()
    assert [(one.plan_id, one.action_id) for one in found] == [("plan-1", "a1")] * is_open


@pytest.mark.parametrize(
    ("course", "use"),
    [
        ((), Use.UNUSED),
        ((draft(plan_id="other"),), Use.UNUSED),
        ((draft(),), Use.INTERRUPTED),
        (ONE_ACTION, Use.INTERRUPTED),
        ((*ONE_ACTION, draft(Event.REFUSED, "a2")), Use.USED),
        ((*ONE_ACTION, draft(Event.ALREADY_GONE, "a2")), Use.USED),
        ((*ONE_ACTION, draft(Event.FAILED, "a2")), Use.USED),
        ((*ONE_ACTION, draft(Event.UNKNOWN, "a2")), Use.INTERRUPTED),
        ((*ONE_ACTION, draft(action_id="a2"), resolved("abandoned", "a2")), Use.USED),
        ((*ONE_ACTION, draft(action_id="a2"), resolved("done", "a2")), Use.USED),
        ((*ONE_ACTION, draft(action_id="a2"), resolved("no-effect", "a2")), Use.INTERRUPTED),
    ],
)
def test_inv_09_plan_is_used_when_every_action_to_apply_has_an_end(
    state: State, course: tuple[Draft, ...], use: Use
) -> None:
    written(state, *course)
    assert read_journal(state).plan_use("plan-1", ("a1", "a2")) is use


def test_entries_are_found_by_action_and_by_plan(state: State) -> None:
    written(state, *ONE_ACTION, draft(plan_id="plan-2"), draft(Event.REFUSED, "a2"))
    record = read_journal(state)
    assert [entry.seq for entry in record.of_action("a1")] == [1, 2, 3, 4]
    assert [entry.seq for entry in record.of_action("a1", "plan-2")] == [4]
    assert [entry.seq for entry in record.of_plan("plan-1")] == [1, 2, 3, 5]
    assert [one.plan_id for one in record.courses("a1")] == ["plan-1", "plan-2"]
    assert record.head is record.entries[-1]


def test_journal_that_does_not_exist_reads_as_empty_and_is_not_created(state: State) -> None:
    record = read_journal(state)
    assert (record.entries, record.head, record.open_actions()) == ([], None, ())
    assert not state.journal.exists()


# damage -------------------------------------------------------------------------------------------


def test_tst_04_cut_at_every_byte_of_the_last_record_is_repaired_and_said(state: State) -> None:
    entries = written(state, *ONE_ACTION)
    whole = state.journal.read_bytes()
    rest = whole[: whole[:-1].rindex(b"\n") + 1]
    for length in range(len(rest) + 1, len(whole)):
        state.journal.write_bytes(whole[:length])
        seen = read_journal(state)
        assert state.journal.stat().st_size == length, "reading alone repairs nothing"
        assert "line 3" in str(seen.torn)
        with opened(state) as journal:
            assert "line 3" in str(journal.repaired)
            assert journal.entries == entries[:2]
            assert state.journal.read_bytes() == rest
            assert journal.append(draft(Event.DONE)) == entries[2]


def test_tst_04_flipping_any_bit_of_any_byte_is_noticed(state: State) -> None:
    written(state, *ONE_ACTION)
    whole = state.journal.read_bytes()
    for position in range(len(whole) - 1):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            state.journal.write_bytes(damaged)
            with pytest.raises(JournalError, match=r"line [123] "):
                read_journal(state)


def test_tst_04_last_line_break_flipped_is_a_torn_record(state: State) -> None:
    written(state, *ONE_ACTION)
    whole = state.journal.read_bytes()
    state.journal.write_bytes(whole[:-1] + b"\x8a")
    assert read_journal(state).torn


def _lines(damage: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    return lambda whole: b"".join(damage(whole.splitlines(keepends=True)))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(_lines(lambda at: at[1:]), id="first line missing"),
        pytest.param(_lines(lambda at: [at[0], at[2]]), id="middle line missing"),
        pytest.param(_lines(lambda at: [at[0], at[0], *at[1:]]), id="line doubled"),
        pytest.param(_lines(lambda at: [at[1], at[0], at[2]]), id="lines swapped"),
        pytest.param(_lines(lambda at: [*at, at[2]]), id="last line doubled"),
        pytest.param(_lines(lambda at: [*at, b"\n"]), id="empty line"),
        pytest.param(lambda whole: whole[:-20] + b"\n", id="last line cut before its end"),
        pytest.param(lambda whole: whole + b"\0" * 512, id="NUL bytes after it"),
        pytest.param(lambda whole: b"\0" * len(whole), id="NUL bytes alone"),
        pytest.param(lambda whole: b"{}\n" + whole, id="foreign line"),
        pytest.param(lambda _: b"dear diary", id="foreign file"),
        pytest.param(lambda _: b"[" * 100_000 + b"\n", id="deep"),
        pytest.param(lambda _: b'{"action_id":NaN}\n', id="no number"),
        pytest.param(lambda _: b'{"seq":' + b"9" * 5000 + b"}\n", id="giant number"),
        pytest.param(lambda w: w.replace(b'"done"', b'"undone"'), id="unknown event"),
        pytest.param(lambda w: w.replace(b'"action_id"', b'"x":1,"action_id"'), id="more fields"),
        pytest.param(lambda w: w.replace(b":null", b": null"), id="other spacing"),
    ],
)
def test_grd_23_any_other_damage_refuses_to_run_and_is_left_as_it_is(
    state: State, damage: Callable[[bytes], bytes]
) -> None:
    written(state, *ONE_ACTION)
    damaged = damage(state.journal.read_bytes())
    state.journal.write_bytes(damaged)
    for reading in (opened, read_journal):
        with pytest.raises(JournalError, match=r"journal\.jsonl: line \d.*journal verify"):
            reading(state)
    assert state.journal.read_bytes() == damaged


def test_p13_journal_shortened_by_whole_lines_is_noticed_by_its_head(state: State) -> None:
    with opened(state) as journal:
        for one in ONE_ACTION:
            journal.append(one)
        journal.mark_head()
    whole = state.journal.read_bytes().splitlines(keepends=True)
    for kept in range(3):
        state.journal.write_bytes(b"".join(whole[:kept]))
        with pytest.raises(JournalError, match=r"does not hold the entry"):
            opened(state)


def test_p13_last_marked_record_that_was_cut_is_damage_and_not_repaired(state: State) -> None:
    with opened(state) as journal:
        journal.append(draft())
        journal.mark_head()
    cut = state.journal.read_bytes()[:-5]
    state.journal.write_bytes(cut)
    with pytest.raises(JournalError, match="does not hold the entry"):
        opened(state)
    assert state.journal.read_bytes() == cut


def test_p13_journal_that_is_gone_or_another_ones_is_noticed_by_its_head(
    state: State, tmp_path: Path
) -> None:
    with opened(state) as journal:
        journal.append(draft())
        journal.mark_head()
    other = State(tmp_path / "other")
    prepare(other)
    written(other, draft(run_id="run-2"), SUBMITTED)
    state.journal.write_bytes(other.journal.read_bytes())
    with pytest.raises(JournalError, match="replaced"):
        opened(state)
    state.journal.unlink()
    with pytest.raises(JournalError, match="replaced"):
        opened(state)


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[]", b'{"seq":true,"hash":""}', b'{"seq":0}', b"[" * 4000]
)
def test_p13_damaged_head_refuses_to_run(state: State, note: bytes) -> None:
    written(state, draft())
    state.head.write_bytes(note)
    with pytest.raises(JournalError, match="the note is damaged"):
        opened(state)


def test_head_may_be_older_than_the_journal(state: State) -> None:
    with opened(state) as journal:
        journal.mark_head()
        assert not state.head.exists(), "there is nothing to note yet"
        journal.append(draft())
        journal.mark_head()
        journal.append(SUBMITTED)
    assert len(read_journal(state).entries) == 2


def _forged(**changes: object) -> Callable[[bytes], bytes]:
    """The first line with other values under a hash that is reckoned anew."""

    def forge(whole: bytes) -> bytes:
        record = {**json.loads(whole.splitlines()[0]), **changes}
        body = {name: value for name, value in record.items() if name != "hash"}
        return canonical({**body, "hash": hashlib.sha256(canonical(body)).hexdigest()}) + b"\n"

    return forge


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seq": True}, "wrong kind"),
        ({"seq": "1"}, "wrong kind"),
        ({"seq": 2}, "is entry 2"),
        ({"run_id": None}, "wrong kind"),
        ({"task_id": 17}, "no text"),
        ({"event": "undone"}, "does not know: 'undone'"),
        ({"at": "yesterday"}, "time that cannot be read"),
        ({"at": "2026-06-01T14:00:00.000000+02:00"}, "written in UTC"),
        ({"at": "2026-06-01T12:00:00.000000"}, "written in UTC"),
        ({"detail": []}, "no JSON object"),
        ({"detail": {"a": 1.5}}, "neither a text nor a whole number"),
        ({"detail": {"a": True}}, "neither a text nor a whole number"),
        ({"event": "resolved", "detail": {}}, "without a known outcome"),
        ({"event": "resolved", "detail": {"outcome": None}}, "without a known outcome"),
        ({"previous": "f" * 64}, "does not follow"),
    ],
)
def test_grd_23_b6_line_of_another_version_refuses_to_run_although_its_hash_is_right(
    state: State, changes: dict[str, object], reason: str
) -> None:
    written(state, draft())
    state.journal.write_bytes(_forged(**changes)(state.journal.read_bytes()))
    with pytest.raises(JournalError, match=reason):
        opened(state)


def test_time_without_a_zone_is_never_written(state: State) -> None:
    naive = NOW.replace(tzinfo=None)
    with Journal(state, lambda: naive) as journal, pytest.raises(JournalError, match="no zone"):
        journal.append(draft())
    assert state.journal.read_bytes() == b""


def test_journal_of_more_than_1_gib_is_not_read(state: State) -> None:
    written(state, draft())
    os.truncate(state.journal, 2**30 + 1)
    with pytest.raises(JournalError, match="1 GiB"):
        opened(state)


# a disk that fails --------------------------------------------------------------------------------


class FailingDisk:
    """Fails once, at the n-th write or fsync; a write may get half of its bytes through."""

    def __init__(self, fails_at: int, code: int, *, halfway: bool) -> None:
        self.left, self.code, self.halfway = fails_at, code, halfway
        self.disk = Disk(self.write, self.sync)

    def write(self, handle: int, body: bytes) -> int:
        if self.fails():
            if self.halfway:
                return os.write(handle, body[: len(body) // 2])
            raise OSError(self.code, os.strerror(self.code))
        return os.write(handle, body)

    def sync(self, handle: int) -> None:
        os.fsync(handle)
        if self.fails():
            raise OSError(self.code, os.strerror(self.code))

    def fails(self) -> bool:
        self.left -= 1
        return self.left == 0


def _run(state: State, disk: Disk) -> int:
    """How many entries were acknowledged before the journal gave up."""
    acknowledged = 0
    with opened(state, disk) as journal:
        for one in ONE_ACTION:
            try:
                journal.append(one)
            except JournalError:
                size = state.journal.stat().st_size
                with pytest.raises(JournalError, match="nothing more is written"):
                    journal.append(draft(action_id="a9"))
                assert state.journal.stat().st_size == size
                raise
            acknowledged += 1
        journal.mark_head()
    return acknowledged


@pytest.mark.parametrize("halfway", [False, True])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_tst_04_inv_20_failure_at_the_nth_write_or_fsync_ends_all_writing(
    tmp_path: Path, code: int, halfway: bool
) -> None:
    failures = 0
    for nth in range(1, 50):
        state = State(tmp_path / str(nth))
        prepare(state)
        failing = FailingDisk(nth, code, halfway=halfway)
        try:
            _run(state, failing.disk)
        except JournalError:
            failures += 1
            _is_whole_again(state)
        if failing.left > 0:
            break
    # The folder, three entries of two steps, the head of three: after these n no longer matters.
    # Only the head's write may come in pieces.
    assert nth == 11
    assert failures == (9 if halfway else 10)


def _is_whole_again(state: State) -> None:
    """The next run opens it, and what is there is a beginning of what was to be written."""
    with opened(state) as journal:
        events = [entry.event for entry in journal.entries]
    assert events == [one.event for one in ONE_ACTION][: len(events)]
    assert b"a9" not in state.journal.read_bytes()


def test_inv_20_file_that_is_replaced_or_written_by_another_ends_all_writing(state: State) -> None:
    with opened(state) as journal:
        journal.append(draft())
        whole = state.journal.read_bytes()
        state.journal.unlink()
        state.journal.write_bytes(whole)
        with pytest.raises(JournalError, match="replaced"):
            journal.append(SUBMITTED)
    with opened(state) as journal:
        with state.journal.open("ab") as other:
            other.write(b"x")
        with pytest.raises(JournalError, match="something else wrote"):
            journal.append(SUBMITTED)
        with pytest.raises(JournalError, match="nothing more"):
            journal.append(SUBMITTED)


@contextmanager
def _small_file_system(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k,mode=700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a file system that fills up")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _fill(journal: Journal) -> None:
    for number in range(1000):
        journal.append(draft(action_id=f"a{number}"))


def test_tst_04_r6_a_disk_that_is_really_full_ends_all_writing_and_can_go_on_later(
    tmp_path: Path,
) -> None:
    with _small_file_system(tmp_path / "small") as folder:
        state = State(folder / "state")
        prepare(state)
        with opened(state) as journal:
            with pytest.raises(JournalError, match=r"No space left|bytes were written"):
                _fill(journal)
            written = len(journal.entries)
            with pytest.raises(JournalError, match="nothing more"):
                journal.append(draft(action_id="z"))
        assert written > 10
        with opened(state) as journal:
            assert len(journal.entries) == written


# whose file it is ---------------------------------------------------------------------------------


def test_s6_journal_behind_a_link_is_refused(state: State, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch(mode=0o600)
    state.journal.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match="cannot be opened"):
        opened(state)
    with pytest.raises(JournalError, match="cannot be read"):
        read_journal(state)
    state.journal.unlink()
    written(state, draft())
    state.head.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match=r"journal\.head: cannot be read"):
        opened(state)


def test_s6_journal_that_is_a_pipe_or_that_others_may_write_is_refused(state: State) -> None:
    os.mkfifo(state.journal)
    with pytest.raises(JournalError, match="not a file"):
        opened(state)
    with pytest.raises(JournalError, match="not a file"):
        read_journal(state)
    state.journal.unlink()
    written(state, draft())
    state.journal.chmod(0o620)
    with pytest.raises(JournalError, match="chmod go-w"):
        opened(state)
