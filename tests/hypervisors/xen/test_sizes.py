"""What a deletion gives back lies between the bounds that were told, whatever the tree."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass

from snapaudit.hypervisors.xen import places, records
from snapaudit.hypervisors.xen.places import PoolRecord
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.records import VdiRecord
from snapaudit.hypervisors.xen.sizes import gain
from tests.beds.xapi.images import Images
from tests.beds.xapi.world import BLOCK, META

DELETIONS = 2000
BLOCKS = 40
SEED = int(os.environ.get("SNAPAUDIT_MODEL_SEED", "6"))
POOL = PoolRecord(uuid="pool", name="", master=None)


@dataclass
class Forest:
    """Random images of one storage repository: snapshots, clones, reverts, writes, deletions."""

    dice: random.Random
    images: Images
    live: list[str]
    shots: list[str]
    numbers: int = 0

    def name(self) -> str:
        self.numbers += 1
        return f"{self.dice.randrange(16**6):06x}-{self.numbers}"

    def step(self) -> None:
        leaf = self.dice.choice(self.live + self.shots)
        match self.dice.choice("sssswwwwccrd"):
            case "s" if leaf in self.live:
                self.shots.append(self._split(leaf))
            case "c":
                self.live.append(self._split(leaf))
            case "w" if leaf in self.live:
                count = self.dice.randrange(BLOCKS // 2)
                self.images.write(leaf, self.dice.sample(range(BLOCKS), count))
            case "r" if leaf in self.shots:
                self._revert(leaf)
            case "d" if len(self.shots) > 1 and leaf in self.shots:
                self.shots.remove(leaf)
                self.images.remove(leaf)

    def _split(self, leaf: str) -> str:
        new = self.name()
        self.images.snapshot(leaf, base=self.name(), new=new)
        return new

    def _revert(self, shot: str) -> None:
        if len(self.live) > 1:
            gone = self.dice.choice(self.live)
            self.live.remove(gone)
            self.images.remove(gone)
        self.live.append(self._split(shot))

    def used(self) -> int:
        return sum(size(image.blocks) for image in self.images.by_uuid.values())

    def pool(self) -> Pool:
        vdis = {
            image.uuid: vdi(
                image.uuid, image.parent, size(image.blocks), managed=not image.is_hidden
            )
            for image in self.images.by_uuid.values()
        }
        return Pool(
            record=POOL, hosts={}, srs={"sr": EXT}, pbds={}, vms={}, vbds={}, vdis=vdis,
            schedules={}, skew=0.0,
        )  # fmt: skip


def size(blocks: set[int]) -> int:
    return len(blocks) * BLOCK + META


def vdi(uuid: str, parent: str | None, occupied: int, *, managed: bool) -> VdiRecord:
    config = {"vhd-parent": parent} if parent else {}
    return records.vdi(
        uuid,
        {"uuid": uuid, "SR": "sr", "physical_utilisation": occupied, "managed": managed,
         "sm_config": config, "type": "user"},
    )  # fmt: skip


EXT = places.sr("sr", {"uuid": "sr", "type": "ext", "name_label": "local"})


def grown(dice: random.Random) -> Forest:
    forest = Forest(dice, Images(), [], [])
    root = forest.name()
    forest.images.create(root, dice.sample(range(BLOCKS), dice.randrange(1, BLOCKS)))
    forest.live.append(root)
    for _ in range(dice.randrange(4, 25)):
        forest.step()
    forest.images.collect()
    return forest


def test_the_bounds_hold_in_every_one_of_two_thousand_deletions_on_random_trees() -> None:
    dice = random.Random(SEED)  # noqa: S311 - trees, no secrets
    tried, shares = 0, list[float]()
    while tried < DELETIONS:
        forest = grown(dice)
        while forest.shots and tried < DELETIONS:
            target = forest.shots.pop(dice.randrange(len(forest.shots)))
            (least, most), before = gain_of(target, forest), forest.used()
            forest.images.remove(target)
            forest.images.collect()
            freed = before - forest.used()
            assert least <= freed <= most, (SEED, tried, target)
            shares.append(freed / most if most else 1.0)
            tried += 1
    assert tried == DELETIONS
    # Bounds that are never met or so wide that nobody can use them would hold as well.
    assert max(shares) > 0.99
    assert sum(shares) / len(shares) > 0.2


def gain_of(target: str, forest: Forest) -> tuple[int, int]:
    pool = forest.pool()
    found = gain(pool.vdi_by_uuid[target], pool)
    assert found.least is not None
    assert found.most is not None
    return found.least, found.most


def forest_of(images: Images) -> Forest:
    return Forest(random.Random(0), images, [], [])  # noqa: S311 - trees, no secrets


def test_what_comes_back_depends_on_how_much_else_stands_on_the_base_copy() -> None:
    """Nothing else: all of it. One image: at most the smaller. Several: none of it."""
    images = Images()
    images.create("live", range(10))
    images.snapshot("live", base="base", new="shot")
    images.write("live", range(4))
    own, base, live = size(set()), size(set(range(10))), size(set(range(4)))
    assert gain_of("shot", forest_of(images)) == (own, own + live)
    images.create("clone", (), "base")
    assert gain_of("shot", forest_of(images)) == (own, own)
    for leaf in ("clone", "live"):
        images.remove(leaf)
    assert gain_of("shot", forest_of(images)) == (own, own + base)


def test_a_deletion_that_empties_a_branch_reaches_what_the_branch_stands_on() -> None:
    images = Images()
    images.create("live", range(10))
    images.snapshot("live", base="trunk", new="other")
    images.write("live", range(6))
    images.snapshot("live", base="branch", new="shot")
    images.remove("live")
    own, branch = size(set()), size(set(range(6)))
    assert gain_of("shot", forest_of(images)) == (own, own + branch + own)
