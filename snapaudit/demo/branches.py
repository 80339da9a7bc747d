"""The branch offices: snapshots kept as backups, in the languages of the people there."""

from __future__ import annotations

from snapaudit.demo.blueprint import Disk, Machine, Snap, days, series

_DISK = (Disk(pool="branch", size_gib=8, used_gib=4),)

BRANCHES = (
    Machine(
        name="buchhaltung-de",
        title="Accounts, German office",
        disks=_DISK,
        snaps=series(
            "Wochensicherung {taken:%d.%m.%Y}",
            "Sicherung der Buchhaltung, jede Woche",
            count=4,
            every=days(7),
            newest=days(12),
        ),
    ),
    Machine(
        name="compta-fr",
        title="Accounts, French office",
        disks=_DISK,
        snaps=series(
            "sauvegarde-compta-{taken:%Y%m%d}",
            "copie de secours de la base, ne pas effacer",
            count=3,
            every=days(7),
            newest=days(18),
        ),
    ),
    Machine(
        name="tienda-es",
        title="Shop, Spanish office",
        disks=_DISK,
        snaps=(
            Snap(
                name="respaldo tienda {taken:%d-%m-%Y}",
                age=days(62),
                note="copia de seguridad completa por si falla el disco",
                writes_gib=1.7,
            ),
        ),
    ),
    Machine(
        name="loja-pt",
        title="Shop, Portuguese office",
        disks=_DISK,
        snaps=series(
            "cópia de segurança {taken:%Y-%m-%d}",
            "cópia mensal da loja",
            count=3,
            every=days(28),
            newest=days(9),
        ),
    ),
    Machine(
        name="contabilita-it",
        title="Accounts, Italian office",
        disks=_DISK,
        snaps=(
            Snap(
                name="copia di riserva {taken:%d%m%y}",
                age=days(38),
                note="salvataggio della contabilità",
                writes_gib=1.6,
            ),
        ),
    ),
    Machine(
        name="magazyn-pl",
        title="Stock, Polish office",
        disks=_DISK,
        snaps=series(
            "kopia zapasowa magazynu {taken:%d.%m.%Y}",
            count=3,
            every=days(7),
            newest=days(33),
        ),
    ),
    Machine(
        name="sklad-ru",
        title="Stock, Russian-speaking office",
        disks=_DISK,
        snaps=series(
            "резервная копия склада {taken:%d.%m.%Y}",
            "еженедельно, вместо ленты",
            count=3,
            every=days(7),
            newest=days(5),
        ),
    ),
    Machine(
        name="kaikei-jp",
        title="Accounts, Japanese office",
        disks=_DISK,
        snaps=series(
            "会計サーバー バックアップ {taken:%Y-%m-%d}",
            "月次の控え",
            count=3,
            every=days(28),
            newest=days(21),
        ),
    ),
    Machine(
        name="caiwu-cn",
        title="Accounts, Chinese office",
        disks=_DISK,
        snaps=series(
            "每周备份 {taken:%Y%m%d}",
            "财务系统数据备份,请勿删除",
            count=4,
            every=days(7),
            newest=days(4),
        ),
    ),
    Machine(
        name="voorraad-nl",
        title="Stock, Dutch office",
        disks=_DISK,
        snaps=(
            Snap(
                name="reservekopie voorraad",
                age=days(16),
                note="wekelijkse reservekopie zolang de band stuk is",
                writes_gib=0.9,
            ),
        ),
    ),
)
