"""How names are read: spellings, encodings, products in people's sentences, and what decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from snapaudit.errors import InputError
from snapaudit.model.past import Growth
from snapaudit.rules.purposes.classifier import classifier
from snapaudit.rules.purposes.company import Company
from snapaudit.rules.purposes.finder import Finder
from snapaudit.rules.purposes.folding import tokens
from snapaudit.rules.purposes.lexicon import Topic, Word, read_words
from snapaudit.rules.purposes.reading import Reading
from snapaudit.rules.purposes.slips import one_slip
from snapaudit.rules.purposes.spelling import spellings
from snapaudit.rules.purposes.wording import LONGEST_DESCRIPTION, LONGEST_NAME
from snapaudit.rules.quantity import Unknown
from tests.builders import NOW, snapshot
from tests.rules.purposes.judging import judge
from tests.rules.purposes.labelled import FRESH, SECOND, SEEN, UNREAD, labelled


def read(
    name: str,
    description: str = "",
    *,
    vm_name: str = "",
    rhythm: str | None = None,
    **told: Any,
) -> Reading:
    shot = snapshot(name, description=description, created_at=None, **told)
    company = Company("vsphere", 1, rhythm, None, vm_name=vm_name)
    return classifier().read(shot, Unknown("no age"), company, NOW)[0]


@pytest.mark.parametrize(
    "name",
    [
        "PreUpgrade7", "pre_patch_0412", "prepatch", "snapbeforeupdate", "vorUpdate", "AvantMAJ",
        "b4 upgrade", "befor new disk", "pre-udpate", "bevore upgarde", "vor%20dem%20Umbau",
        "vor dem Serverumzug", "Before&#32;moving", "SYSTEMAKTUALISIERUNG",
        "pered obnovleniem yadra", "fore uppgradering", "före byte av disk", "vor Änderung",
        "vor Aenderung", "antes da migração", "ПередОбновлением",
        "\uff42\uff45\uff46\uff4f\uff52\uff45 \uff50\uff41\uff54\uff43\uff48",
        "カーネル入れ替え前", "內核升級之前", "커널 교체 전", "güncelleme öncesi",
        "frissítés előtt", "ennen huoltoa", "πριν την αναβάθμιση", "trước khi nâng cấp",
        "לפני שדרוג", "قبل التحديث", "KB5099999", "12.4 -> 13.0", "CVE-2031-11111 workaround",
        "CHG0099999", "hot-fix 3", "b4 the vendor comes",
    ],
)  # fmt: skip
def test_change_is_read_in_every_spelling(name: str) -> None:
    assert read(name).purpose == "change_safety"


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("Bakcup of the ledger", "makeshift_backup"),
        ("RollBack", "change_safety"),
        ("Datenbanksicherung", "makeshift_backup"),
        ("NICHT LOESCHEN!!", "makeshift_backup"),
        ("rezervnaya kopiya bukhgalterii", "makeshift_backup"),
        ("salvataggio%20vecchio", "makeshift_backup"),
        ("preprod", "unknown"),
        ("postfix", "unknown"),
        ("drive", "unknown"),
        ("午前", "unknown"),
        ("버전 3", "unknown"),
        ("0f1e2dbef0re5a6b7c8d", "unknown"),
        ("no backup, can be deleted", "unknown"),
        ("vmbackup of accounting", "makeshift_backup"),
        ("vm backup of accounting", "makeshift_backup"),
        ("string", "unknown"),
        ("stale", "unknown"),
        ("tester", "unknown"),
        ("small", "unknown"),
        ("practice", "unknown"),
        ("11 Jul", "unknown"),
        ("essai", "unknown"),
    ],
)
def test_words_are_told_from_words_that_look_like_them(name: str, purpose: str) -> None:
    assert read(name).purpose == purpose


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("taken by Ansible before patching", "automation"),
        ("before the Ansible upgrade", "change_safety"),
        ("Rubrik temp", "backup_product"),
        ("before the Rubrik agent is updated", "change_safety"),
        ("Rubrik 8.1 to 9.0", "change_safety"),
        ("Rubrik is down, backup by hand", "makeshift_backup"),
        ("NAKIVO Backup & Replication temp", "backup_product"),
        ("Cohesity replica 3", "replication"),
        ("Tanium patching", "automation"),
        ("before the Tanium patching", "change_safety"),
        ("sanoid, base of the next send to site B", "replication"),
        ("Ansible, Rubrik temp", "backup_product"),
        ("nobody knows this one, job 4411", "backup_product"),
        ("prior Ansible, by hand", "change_safety"),
    ],
)
def test_product_that_is_named_made_it_unless_it_is_changed(name: str, purpose: str) -> None:
    assert read(name).purpose == purpose


@pytest.mark.parametrize(
    ("name", "vm_name", "purpose"),
    [
        ("SRV-BACKUP9 snapshot 2", "SRV-BACKUP9", "unknown"),
        ("SRV-BACKUP9 snapshot 2", "", "makeshift_backup"),
        ("backup-erp01-20310405", "erp01", "backup_product"),
        ("backup erp01 old", "erp01", "makeshift_backup"),
        ("initial", "w11-template", "clone_base"),
        ("initial", "w11", "unknown"),
    ],
)
def test_name_of_the_machine_is_no_word_about_the_snapshot(
    name: str, vm_name: str, purpose: str
) -> None:
    assert read(name, vm_name=vm_name).purpose == purpose


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("daily backup", "scheduled"),
        ("monthly backup by hand", "makeshift_backup"),
        ("weekly patching", "change_safety"),
        ("scheduled maintenance", "change_safety"),
        ("temporary backup snapshot", "backup_product"),
        ("before the holidays, copy", "makeshift_backup"),
        ("golden image after updates", "clone_base"),
        ("clean install", "unknown"),
        ("clean install, works, do not delete", "makeshift_backup"),
        ("failover", "replication"),
        ("before failover", "change_safety"),
        ("VDI base", "clone_base"),
    ],
)
def test_purpose_beats_mechanism_and_a_change_beats_backup(name: str, purpose: str) -> None:
    assert read(name).purpose == purpose


@pytest.mark.parametrize(
    ("name", "description", "purpose"),
    [
        ("reconfigure", "", "unknown"),
        ("reconfigure snap 2", "", "unknown"),
        ("reconfigure the VLAN", "", "change_safety"),
        ("experiment", "", "unknown"),
        ("experiment with the VLAN", "", "change_safety"),
        ("実験", "", "unknown"),
    ],
)
def test_bare_word_of_work_or_of_a_try_tells_nothing(
    name: str, description: str, purpose: str
) -> None:
    assert read(name, description).purpose == purpose


@pytest.mark.parametrize(
    ("name", "description", "purpose"),
    [
        ("base line", "", "unknown"),
        ("base line", "Alpine, sshd and two users", "makeshift_backup"),
        ("base line", "before the VLAN is changed", "change_safety"),
        ("clean + driver + tools", "", "makeshift_backup"),
        ("driver + tools", "", "change_safety"),
        ("last good state before the flood", "", "makeshift_backup"),
        ("last good state before the upgrade", "", "change_safety"),
    ],
)
def test_state_that_is_described_is_kept_unless_a_change_is_announced(
    name: str, description: str, purpose: str
) -> None:
    assert read(name, description).purpose == purpose


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("pool/backup/vm-9-disk-0@snap3", "unknown"),
        ("vm-9-disk-0@backup", "makeshift_backup"),
        ("mail@backup", "makeshift_backup"),
        ("tank/media@base of linked clones", "clone_base"),
    ],
)
def test_dataset_before_the_name_is_no_word_about_the_snapshot(name: str, purpose: str) -> None:
    assert read(name).purpose == purpose


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("ABCD-77123", "change_safety"),
        ("x_ABCD-77123_y", "change_safety"),
        ("WEB-101", "unknown"),
        ("WIN-2031", "unknown"),
        ("TASK0099123", "change_safety"),
        ("session 9:30", "unknown"),
        ("session 88123", "backup_product"),
        ("copy_1924992000", "backup_product"),
        ("copy 1924992000", "makeshift_backup"),
        ("redmine 4 to 5", "change_safety"),
    ],
)
def test_number_tells_whose_it_is_by_its_shape(name: str, purpose: str) -> None:
    assert read(name).purpose == purpose


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("科力锐临时快照", "backup_product"),
        ("dočasný stav Rubriku", "backup_product"),
        ("Rubrikin tilapäinen", "backup_product"),
        ("před aktualizací Rubriku", "change_safety"),
        ("sesame", "unknown"),
        ("NAKIVO job, patch servers", "backup_product"),
        ("Rubrik backup of the install server", "backup_product"),
        ("before NAKIVO job, patch servers", "change_safety"),
        ("Rubrik Snapshot, deleted after backup", "backup_product"),
        ("XenDesktop master, new drivers", "clone_base"),
        ("before the XenDesktop master gets new drivers", "change_safety"),
        ("snapshot made before backup job crashed", "backup_product"),
        ("升级科力锐之前", "change_safety"),
        ("pre-ansible", "change_safety"),
        ("before puppet", "change_safety"),
        ("by puppet", "automation"),
        ("basis voor gekoppelde klonen", "clone_base"),
        ("voor de verhuizing", "change_safety"),
    ],
)
def test_product_and_preposition_are_read_where_they_stand(name: str, purpose: str) -> None:
    assert read(name).purpose == purpose


def test_account_of_a_product_decides_only_where_words_leave_it_open() -> None:
    assert read("17", creator="CORP\\svc-veeam").is_proven
    assert read("17", creator="CORP\\svc-veeam").reasons[0] == "proof: account of Veeam"
    assert read("before the move", creator="CORP\\svc-veeam").purpose == "change_safety"
    assert read("do not delete", creator="CORP\\svc-veeam").purpose == "makeshift_backup"


def test_what_stands_on_a_snapshot_tells_its_purpose_and_leaves_it_to_the_rules() -> None:
    """A guard keeps it by name: it is reported as old and refused, and not passed over."""
    found = "clone-parent: vdi-07 stands on it"
    told = read("17", protections=(found,))
    assert (told.purpose, told.is_proven) == ("clone_base", False)
    of_machine = Company("vsphere", 1, None, None, protections=frozenset((found,)))
    shot = snapshot("17", protections=(found,), created_at=None)
    reading, _ = classifier().read(shot, Unknown("no age"), of_machine, NOW)
    assert reading.purpose == "unknown"


def test_rotation_and_growth_have_their_points_and_are_printed() -> None:
    growth = Growth(low_bytes=1.0, likely_bytes=2.0, high_bytes=3.0, samples=5)
    rotating = Company("vsphere", 5, "daily", None, is_rotating=True)
    shot = snapshot("17", created_at=None)
    reading, _ = classifier().read(shot, Unknown("no age"), rotating, NOW, growth)
    assert reading.score == 15 + 20 + 15 + 5 + 8
    assert "+15 the oldest leaves when a new one comes" in reading.reasons
    assert "+5 growing" in reading.reasons
    assert "earlier snapshots of the machine" not in reading.reasons[-1]


def test_name_that_says_nothing_is_a_backup_only_where_the_machine_keeps_a_rhythm() -> None:
    steady = Company("vsphere", 5, "daily", None, is_rotating=True)
    crowded = Company("vsphere", 9, None, None)
    shot = snapshot("17", created_at=None, creator="svc_ops")
    purposes = [classifier().read(shot, Unknown("x"), one, NOW)[0] for one in (steady, crowded)]
    assert [reading.purpose for reading in purposes] == ["makeshift_backup", "unknown"]


def test_long_text_is_read_in_part_and_says_so() -> None:
    hidden = read("x" * LONGEST_NAME + " backup", "y " * LONGEST_DESCRIPTION + "backup")
    assert hidden.purpose == "unknown"
    assert any(reason.startswith("read in part") for reason in hidden.reasons)
    assert not any(reason.startswith("read in part") for reason in read("x" * LONGEST_NAME).reasons)
    hostile = (
        "a" * 65536,
        "back" * 16384,
        "pre-" * 16384,
        "前" * 65536,
        "%41" * 20000,
        "&" * 65536,
    )
    for name in hostile:
        assert any(reason.startswith("read in part") for reason in read(name, name).reasons)


def test_words_in_one_text_are_few_however_long_it_is() -> None:
    words = tuple(read_words())
    finder = Finder(words)
    text = tokens("backup server " * 60)
    assert len(finder.hits(text)) <= len(text) * 8


@pytest.mark.parametrize(
    ("left", "right", "is_one"),
    [
        ("update", "udpate", True),
        ("update", "updte", True),
        ("update", "updatte", True),
        ("update", "upxate", True),
        ("update", "udptae", False),
        ("update", "upd", False),
        ("update", "update", True),
    ],
)
def test_one_slip_is_one_letter_too_many_too_few_wrong_or_swapped(
    left: str, right: str, is_one: bool
) -> None:
    assert one_slip(left, right) is one_slip(right, left) is is_one


def test_longest_entry_wins_and_takes_the_shorter_ones_away() -> None:
    words = tuple(
        Word(topic, text, "x", True, None)  # type: ignore[arg-type]
        for topic, text in ((Topic.BACKUP, "backup"), (Topic.OTHER, "no backup*"))
    )
    found = [words[hit.number].topic for hit in Finder(words).hits(tokens("no backups, backup"))]
    assert found == [Topic.OTHER, Topic.BACKUP]


def test_language_is_one_file_more(tmp_path: Path) -> None:
    (tmp_path / "xx.yaml").write_text("language: xx\nbefore: voxo, lim* voxo\n")
    assert [(word.text, word.topic) for word in read_words(tmp_path)] == [
        ("voxo", Topic.BEFORE),
        ("lim* voxo", Topic.BEFORE),
    ]
    (tmp_path / "xx.yaml").write_text("language: xx\nbefor: voxo\n")
    with pytest.raises(InputError, match="did you mean 'before'"):
        read_words(tmp_path)
    (tmp_path / "xx.yaml").write_text("language: xx\nbefore: voxo, , limo\n")
    with pytest.raises(InputError, match=r"xx\.yaml:2:.*between commas"):
        read_words(tmp_path)


@pytest.mark.parametrize(
    ("file", "macro_f1"), [(SEEN, 0.95), (SECOND, 0.93), (FRESH, 0.93), (UNREAD, 0.92)]
)
def test_labelled_names_are_told_no_worse_than_before(file: Path, macro_f1: float) -> None:
    judged = judge(labelled(file), classifier())
    assert judged.macro_f1 >= macro_f1
    assert judged.protected_recall >= 0.95


def test_star_stands_after_three_letters_at_least() -> None:
    starred = (
        (word.text, part)
        for word in read_words()
        for parts in spellings(word.text)
        for part in parts
        if word.is_spaced and "*" in part
    )
    assert [text for text, part in starred if len(part.strip("*")) < 3] == []


def test_slip_is_found_wherever_in_a_word_it_is() -> None:
    word = Word(Topic.CHANGE, "maintenance", "x", True, None)  # type: ignore[arg-type]
    finder = Finder([word])
    slips = {
        *(word.text[:at] + word.text[at + 1 :] for at in range(1, 10)),
        *(word.text[:at] + "x" + word.text[at:] for at in range(1, 11)),
        *(word.text[:at] + "x" + word.text[at + 1 :] for at in range(1, 10)),
        *(
            word.text[:at] + word.text[at + 1] + word.text[at] + word.text[at + 2 :]
            for at in range(1, 9)
        ),
    }
    assert [slip for slip in sorted(slips) if not finder.hits([slip])] == []


@pytest.mark.parametrize(
    ("name", "description", "product"),
    [
        ("Rubrik Snapshot", "SLA change pending", "rubrik"),
        ("Zerto-1", "before failover test", "zerto"),
        ("pre patch, Veeam off", "", "veeam"),
        ("before Veeam update", "", None),
        ("vor Veeam 12 Upgrade", "", None),
        ("before the kernel update", "", None),
    ],
)
def test_inv_08_a_product_at_work_is_told_whatever_the_other_words_decide(
    name: str, description: str, product: str | None
) -> None:
    told = read(name, description=description)
    assert (told.purpose, told.product) == ("change_safety", product)
