"""Images of a storage repository, with the blocks they hold, and the collector that merges them.

What a real storage manager does with VHD files, in a model: a snapshot makes a hidden base copy and
an empty leaf; the collector removes hidden images without children, merges a hidden only child into
its parent, and a leaf that is an only child with its parent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Image:
    """One image; ``blocks`` are those that it holds itself."""

    uuid: str
    parent: str | None = None
    is_hidden: bool = False
    blocks: set[int] = field(default_factory=set)


class Images:
    """All images of one storage repository."""

    def __init__(self) -> None:
        self.by_uuid: dict[str, Image] = {}

    def __contains__(self, uuid: object) -> bool:
        return uuid in self.by_uuid

    def create(self, uuid: str, blocks: Iterable[int] = (), parent: str | None = None) -> Image:
        self.by_uuid[uuid] = image = Image(uuid, parent, blocks=set(blocks))
        return image

    def children(self, uuid: str) -> list[Image]:
        return [image for image in self.by_uuid.values() if image.parent == uuid]

    def line(self, leaf: str) -> list[Image]:
        """The images that a leaf stands on, and itself, base first."""
        found, at = list[Image](), self.by_uuid.get(leaf)
        while at is not None:
            found.append(at)
            at = self.by_uuid.get(at.parent or "")
        return found[::-1]

    def write(self, uuid: str, blocks: Iterable[int]) -> None:
        assert not self.children(uuid), "somebody stands on it"
        self.by_uuid[uuid].blocks |= set(blocks)

    def read(self, uuid: str) -> set[int]:
        """All blocks that a guest would find."""
        return set().union(*(image.blocks for image in self.line(uuid)))

    def snapshot(self, leaf: str, *, base: str, new: str) -> Image:
        """What ``leaf`` holds goes into a new base copy, on which it and the new leaf stand.

        A leaf that holds nothing needs none: then the new one stands where it stands.
        """
        live = self.by_uuid[leaf]
        if not live.blocks and live.parent is not None:
            return self.create(new, (), live.parent)
        below = self.create(base, live.blocks, live.parent)
        below.is_hidden = True
        live.blocks, live.parent = set(), base
        return self.create(new, (), base)

    def remove(self, uuid: str) -> None:
        assert not self.children(uuid), "somebody stands on it"
        del self.by_uuid[uuid]

    def collect(self) -> None:
        """Merge until nothing is left to merge."""
        while self.step():
            pass

    def step(self) -> bool:
        """One merge; whether there was one to make."""
        for image in sorted(self.by_uuid.values(), key=lambda each: each.uuid):
            above = self.children(image.uuid)
            if image.is_hidden and len(above) < 2:
                self._merge(image, above)
                return True
        return False

    def _merge(self, image: Image, above: list[Image]) -> None:
        if not above:
            del self.by_uuid[image.uuid]
            return
        (child,) = above
        if child.is_hidden:
            image.blocks |= child.blocks
            for each in self.children(child.uuid):
                each.parent = image.uuid
            del self.by_uuid[child.uuid]
        else:
            child.blocks |= image.blocks
            child.parent = image.parent
            del self.by_uuid[image.uuid]
