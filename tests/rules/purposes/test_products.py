"""The catalogue of products: what it finds, and which sentences of people it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.errors import InputError
from snapaudit.rules.purposes.catalogue import Field, Marker, read_catalogue
from snapaudit.rules.purposes.classifier import classifier
from snapaudit.rules.purposes.company import Company
from snapaudit.rules.purposes.markers import Markers
from snapaudit.rules.purposes.reading import PurposeWord
from snapaudit.rules.purposes.shape import shape, text_of
from snapaudit.rules.quantity import age_of
from tests.builders import NOW, ago, snapshot

_MARKERS = Markers()
_MANY = 90
_UNCONFIRMED = "unconfirmed"


def found(text: str, field: Field) -> Marker | None:
    number = _MARKERS.in_text(text_of(shape(text)), field)
    return None if number is None else _MARKERS.markers[number]


def name_of(marker: Marker) -> str:
    return f"{marker.product}: {marker.example}"


@pytest.mark.parametrize("marker", _MARKERS.markers, ids=name_of)
def test_marker_is_the_first_to_be_found_in_its_example(marker: Marker) -> None:
    for field in marker.fields:
        assert found(marker.example, field) is marker


@pytest.mark.parametrize("account", _MARKERS.accounts, ids=name_of)
def test_account_is_the_first_to_be_found_in_its_example(account: Marker) -> None:
    assert _MARKERS.of_account(account.example) is account


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("veeam backup temporary snapshot", "Veeam"),
        ("Please do not delete this snapshot. It is being used by Veeam Backup.", "Veeam"),
        ("Restore Point 4-5-2031 02:15:01", "Veeam replica"),
        ("restore point 2031.04.05 2:15", "Veeam replica"),
        ("__GX_TESTBOOT__", "Commvault Live Sync"),
        ("SRV-DC1 - Standardreplikat - (05.04.2031 - 02:15:01)", "Hyper-V Replica"),
        ("SRV-DC1 - Réplica estándar - (5/4/2031 - 2:15:01)", "Hyper-V Replica"),
        ("rpool/data/vm-7-disk-0@__replicate_7-3_1924992000__", "Proxmox storage replication"),
        ("[XO Backup Continuous replication to Oslo] erp", "Xen Orchestra replication"),
        ("[XO Backup 4h rolling] erp", "Xen Orchestra rolling snapshot"),
        ("[XO Backup] erp", "Xen Orchestra backup"),
        ("XO_DELTA_EXPORT: backup NAS", "Xen Orchestra replication"),
        ("XO_DELTA_BASE_VDI_SNAPSHOT", "Xen Orchestra backup"),
        ("cv-sp-0f1e2d3-4b5a6-7788-1a2b3c4d", "Commvault"),
        ("IS_SVOL_SP_7_9031_88", "Commvault"),
        ("HV-ERP - Sicherung - (05.04.2031 - 02:15:01)", "Hyper-V backup checkpoint"),
        ("XO_DELTA_BASE_VM_SNAPSHOT_weekly", "Xen Orchestra backup"),
        ("Forklift Operator warm migration precopy", "Forklift warm migration"),
        ("autofourhours310405021501", "cv4pve-autosnap"),
        ("eve4pve-autosnap", "cv4pve-autosnap"),
        ("autohourly_20310405_021501", "proxmox-autosnap"),
        ("auto-20310405.0215-2w", "TrueNAS periodic snapshot"),
        ("2031-04-05 02:15:01 FreeNAS Created Snapshot", "TrueNAS around a snapshot of the pool"),
        (
            "Automatischer Prüfpunkt - DEV9 - (05.04.2031 - 02:15:01)",
            "Hyper-V automatic checkpoint",
        ),
        ("Snapshot to create linked clones for Vagrant", "Vagrant linked clones"),
        ("initial state for linked clones", "linked clones"),
        ("LinkedClone-Base", "linked clones"),
        ("subvol-7_vzdump", "Proxmox vzdump"),
        ("vm-7-state@vzdump", "Proxmox vzdump"),
        ("erp-res_back_20310405_021501", "LINSTOR backup"),
        ("BACKUP_TEMP_erp", "a backup script"),
        ("temporary snapshot for nightly backup", "a backup script"),
        ("Auto-generated for Export To OVA", "oVirt engine"),
        ("before terraform destroy", "Terraform"),
        ("snapshot taken using pyvmomi", "pyVmomi script"),
        ("Pre-patching snapshot created by Ansible", "Ansible"),
        ("jenkins build #118", "Jenkins"),
    ],
)
def test_product_is_found_in_the_other_forms_that_it_writes(text: str, product: str) -> None:
    marker = found(text, Field.NAME) or found(text, Field.DESCRIPTION)
    assert marker is not None
    assert marker.product == product


@pytest.mark.parametrize(
    "sentence",
    [
        "before upgrade of Veeam server",
        "upgrade to Veeam 12.3",
        "Veeam backup server before patching",
        "Vor dem Update des Veeam-Servers",
        "avant migration du serveur Commvault",
        "Commvault agent install",
        "before NetBackup master upgrade",
        "NetBackup client 10.4 upgrade",
        "Rubrik backup agent install",
        "Cohesity agent update 6.8",
        "upgrade Zerto 10",
        "Zerto 9.7 to 10.0",
        "before Proxmox Backup Server migration",
        "Nakivo director update",
        "before Acronis cleanup",
        "Avamar proxy replaced",
        "before TSM BA client 8.1.20",
        "before SnapCenter 6.0",
        "snapcenter plugin upgrade",
        "Bacula director before config change",
        "bareos-fd update",
        "velero test cluster before upgrade",
        "vzdump fails, before changing storage",
        "before horizon connection server 8.12",
        "Citrix XenDesktop 7.15 before CU9",
        "linked clone test failed, before retry",
        "before sanoid config change",
        "TrueNAS core to scale migration",
        "before fixing the scheduled task",
        "before jenkins upgrade 2.452",
        "new disk for jenkins",
        "migrating from gitlab to gitea",
        "before gitlab upgrade 17",
        "before terraform enterprise upgrade",
        "upgrade ansible 2.9 to 2.16",
        "ansible tower to AAP migration",
        "vagrant box rebuild failed",
        "satellite 6.15 upgrade",
        "before foreman 3.9 upgrade",
        "leapp upgrade RHEL 7 to 8",
        "github runner update",
        "before SRM 9 upgrade",
        "replication broken, before reseed",
        "before replica reprotect",
        "restore test",
        "Restore point",
        "restore point before upgrade",
        "RESTORE_POINT_1",
        "restore-db01",
        "snapshot for backup of config before change",
        "consolidate disks before upgrade",
        "automatic updates disabled",
        "auto update off",
        "rep_daily_report broken",
        "push to prod",
        "cp-sql-role",
        "back_2024",
        "b-tree rebuild",
        "powershell 7 upgrade",
        "created by Max",
        "made by hand",
        "manual backup",
        "full backup before migration",
        "temp snapshot",
    ],
)
def test_sentence_of_a_person_is_proof_of_no_product(sentence: str) -> None:
    assert found(sentence, Field.NAME) is None
    assert found(sentence, Field.DESCRIPTION) is None


def test_name_that_only_a_description_tells_is_left_alone() -> None:
    assert found("vzdump backup snapshot", Field.NAME) is None
    assert found("Restore Point 06-17-2031 22:04", Field.DESCRIPTION) is None


@pytest.mark.parametrize(
    "creator",
    ["CORP\\j.doe", "root", "VSPHERE.LOCAL\\Administrator", "CORP\\adm-mcsweeney", "CORP\\kovacsi"],
)
def test_account_of_a_person_is_no_product_s(creator: str) -> None:
    assert _MARKERS.of_account(creator) is None


def test_catalogue_is_large_and_most_of_it_has_been_looked_up() -> None:
    markers = _MARKERS.markers
    guessed = [marker for marker in markers if marker.source == _UNCONFIRMED]
    assert len(markers) > _MANY
    assert len(guessed) * 4 < len(markers)


@pytest.mark.parametrize(
    ("text", "purpose"),
    [
        ("Rubrik snapshot 20310405T0215", "backup_product"),
        ("Cohesity protection job run 8812", "backup_product"),
        ("Created by NAKIVO", "backup_product"),
        ("Arcserve UDP temporary snapshot", "backup_product"),
        ("vinchin_2031", "backup_product"),
        ("vRanger snapshot", "backup_product"),
        ("Kasten K10 backup", "backup_product"),
        ("HYCU-1f2e3d", "backup_product"),
        ("snapshot for vSphere Data Protection", "backup_product"),
        ("Zerto test failover", "replication"),
        ("RP4VMs snapshot", "replication"),
        ("vSphere Replication point", "replication"),
        ("linstor snapshot", "replication"),
        ("Citrix MCS master 2031-04", "clone_base"),
        ("Horizon instant clone parent", "clone_base"),
        ("vSAN data protection snapshot", "scheduled"),
        ("rundeck job 5", "automation"),
        ("GitHub Actions run 81", "automation"),
        ("molecule test", "automation"),
        ("before the upgrade of Zerto", "change_safety"),
        ("upgrade to Veeam 12.3", "change_safety"),
        ("NAKIVO 10.9 to 11", "change_safety"),
        ("before Citrix MCS config change", "change_safety"),
        ("upgrade ansible 2.9 to 2.16", "change_safety"),
    ],
)
def test_product_named_by_a_person_made_the_snapshot_unless_it_is_what_is_changed(
    text: str, purpose: str
) -> None:
    company = Company("vsphere", 1, None, None)
    reading, _ = classifier().read(snapshot(text), age_of(ago("9d"), NOW), company, NOW)
    assert reading.purpose == purpose


def test_product_has_one_entry_of_names_and_no_name_belongs_to_two() -> None:
    names = _MARKERS.catalogue.names
    assert len({name.product for name in names}) == len(names)
    words = [word for name in names for word in name.words]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{product: X, pattern: x, example: x}", "'source' is missing"),
        ("{product: X, pattern: x, example: x, source: y, purpos: z}", "unknown key 'purpos'"),
        ("{product: X, in: nam, pattern: x, example: x, source: y}", "did you mean 'name'"),
    ],
)
def test_entry_with_a_fault_is_named_with_its_place(
    tmp_path: Path, entry: str, message: str
) -> None:
    for purpose in PurposeWord:
        (tmp_path / f"{purpose}.yaml").write_text("markers: []\n")
    (tmp_path / "automation.yaml").write_text(f"markers:\n  - {entry}\n")
    with pytest.raises(InputError) as caught:
        read_catalogue(tmp_path)
    assert message in str(caught.value)
    assert "automation.yaml:2:" in str(caught.value)
