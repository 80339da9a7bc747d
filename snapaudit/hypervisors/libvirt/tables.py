"""What the qcow2 images themselves say of the snapshots inside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from snapaudit.hypervisors.libvirt.crew import Crew
from snapaudit.hypervisors.libvirt.files import Files
from snapaudit.hypervisors.libvirt.graph import Graph
from snapaudit.hypervisors.libvirt.qcow2 import ImageSizes, Qcow2Error, measure

_READERS = 4


@dataclass(frozen=True, slots=True)
class Tables:
    """The measured images by path, and for the others the reason why they were not."""

    sizes: dict[str, ImageSizes]
    unread: dict[str, str]

    def holding(self, name: str, paths: Iterable[str]) -> tuple[str, ...]:
        """Those of the images that hold a snapshot of that name."""
        return tuple(
            path
            for path in paths
            if path in self.sizes and any(s.name == name for s in self.sizes[path].snapshots)
        )

    def reason(self, paths: Iterable[str]) -> str | None:
        """Why the first unread one of these images was not read."""
        return next((self.unread[path] for path in paths if path in self.unread), None)


def read(paths: Iterable[str], graph: Graph, files: Files) -> Tables:
    """Measure every image that holds snapshots; raw images hold none."""
    wanted = sorted(path for path in paths if graph.formats.get(path, "qcow2") == "qcow2")
    tables = Tables({}, {})
    answers = Crew(_READERS).map(lambda path: _one(files, path), wanted)
    for path, answer in zip(wanted, answers, strict=True):
        if isinstance(answer, str):
            tables.unread[path] = answer
        else:
            tables.sizes[path] = answer
    return tables


def _one(files: Files, path: str) -> ImageSizes | str:
    source = files.open(path)
    if isinstance(source, str):
        return source
    try:
        return measure(source)
    except Qcow2Error as error:
        return f"the image's tables cannot be used: {error}"
    except OSError as error:
        return f"the image cannot be read: {error}"
