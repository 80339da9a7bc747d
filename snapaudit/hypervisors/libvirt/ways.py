"""The next call towards an action's end, read off what is seen.

A merge by hand goes: copy the overlay down, take it out of the chain, take it out of every
definition that names it, remove its file, and at last drop the snapshot's record. Each of these is
one call and shows in the next reading, so the way can be found again from anywhere on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from snapaudit.hypervisors.libvirt import calls, identity
from snapaudit.hypervisors.libvirt.calls import made_for
from snapaudit.hypervisors.libvirt.consolidation import Layer, phantoms
from snapaudit.hypervisors.libvirt.definitions import names
from snapaudit.hypervisors.libvirt.reading import Reading
from snapaudit.hypervisors.libvirt.settings import Merge, Settings
from snapaudit.hypervisors.libvirt.snapshots import kind
from snapaudit.hypervisors.libvirt.xml import SnapshotXml
from snapaudit.model.acting import Call
from snapaudit.model.plan import Action
from snapaudit.model.policy import Remedy

DELETES_EXTERNAL = 9_000_000
# 9.0 finds no base for an overlay in the middle of the chain of a machine that is off (error 8).
DELETES_EXTERNAL_MIDDLE_WHILE_OFF = 9_001_000
_ATTEMPTS = 2

IsMerged = Callable[[str, str, str], bool]
"""Whether an overlay, and the image below it in that format, hold the same for the guest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One action on one machine, with all that decides how it goes on."""

    action: Action
    seen: Reading
    made: Sequence[Call]
    settings: Settings
    is_merged: IsMerged

    def next_call(self) -> Call | None:
        """The next mutating call; None: nothing is left to do, or nothing more can be done."""
        if self.seen.machine is None:
            return None
        match self.action.kind:
            case Remedy.DELETE_SNAPSHOT:
                return self._delete()
            case Remedy.CONSOLIDATE:
                return self._consolidate()

    def _delete(self) -> Call | None:
        snapshot = self.seen.snapshot(self.action.snapshot_id or "")
        if snapshot is None or not self._is_meant(snapshot):
            return None
        tried = bool(made_for(self.made, calls.DELETE))
        begun = any(call.name in calls.MERGING for call in self.made)
        if not tried and not begun and self._goes_natively(snapshot):
            return self._about_snapshot(calls.DELETE, snapshot)
        if not self._may_go_by_hand(snapshot) or not (tried or begun or self._by_hand(snapshot)):
            return None
        layers = [self.seen.layer(*where) for where in self.seen.overlays(snapshot)]
        for layer in layers:
            if layer is not None:
                return self._fold(layer)
        return self._forget(snapshot, tried=tried)

    def _is_meant(self, snapshot: SnapshotXml) -> bool:
        """Whether the record is still the planned one's; the whole identity is judged elsewhere."""
        expected = self.action.expects.snapshot
        planned = expected.identity if expected is not None else None
        record = identity.of_record(self.seen.uuid, snapshot)
        return planned is not None and identity.record_part(planned) == record

    def _consolidate(self) -> Call | None:
        machine = self.seen.machine
        folded = [call for call in self.made if call.name in calls.MERGING]
        for call in self._tidy(folded, None):
            return self._unmade(call)
        if machine is None:
            return None
        for layer in phantoms(machine):
            return self._fold(layer)
        return None

    # Which way ----------------------------------------------------------------------------------

    def _goes_natively(self, snapshot: SnapshotXml) -> bool:
        if not self._may_go_by_hand(snapshot) or not self._by_hand(snapshot):
            return True
        match self.settings.merge:
            case Merge.NATIVE:
                return True
            case Merge.MANUAL:
                return False
            case Merge.AUTO:
                return self._libvirt_can(snapshot) and not self._is_large(snapshot)

    def _may_go_by_hand(self, snapshot: SnapshotXml) -> bool:
        modes = {disk.mode for disk in snapshot.disks} - {"no"}
        is_native_only = self.settings.merge is Merge.NATIVE
        return kind(snapshot) == "external" and modes == {"external"} and not is_native_only

    def _by_hand(self, snapshot: SnapshotXml) -> bool:
        """Whether every overlay stands where it can be merged from here."""
        layers = [self.seen.layer(*where) for where in self.seen.overlays(snapshot)]
        return all(layer is not None and self._can_fold(layer) for layer in layers)

    def _can_fold(self, layer: Layer) -> bool:
        if self.seen.is_running:
            return True
        is_here = self.seen.is_file(layer.overlay) and self.seen.is_local
        return is_here and self.seen.base_format(layer.overlay) is not None

    def _libvirt_can(self, snapshot: SnapshotXml) -> bool:
        if self.seen.version < DELETES_EXTERNAL:
            return False
        layers = [self.seen.layer(*where) for where in self.seen.overlays(snapshot)]
        is_leaf = all(layer is not None and layer.above is None for layer in layers)
        is_new = self.seen.version >= DELETES_EXTERNAL_MIDDLE_WHILE_OFF
        return self.seen.is_running or is_leaf or is_new

    def _is_large(self, snapshot: SnapshotXml) -> bool:
        used = [self.seen.used(overlay) for _, overlay in self.seen.overlays(snapshot)]
        least = self.settings.manual_from_bytes
        return any(size is None or size >= least for size in used)

    # One overlay --------------------------------------------------------------------------------

    def _fold(self, layer: Layer) -> Call | None:
        return self._fold_running(layer) if self.seen.is_running else self._fold_offline(layer)

    def _fold_running(self, layer: Layer) -> Call | None:
        mirror = self.seen.mirror(layer.target)
        if mirror is not None:
            is_ours = self.seen.resolve(mirror.path) == layer.base and layer.above is None
            if not is_ours or not mirror.is_ready:
                return None
            pivot = self._again(calls.PIVOT, layer)
            return None if pivot is None else replace(pivot, completes=True)
        if made_for(self.made, calls.COMMIT, overlay=layer.overlay):
            return None
        is_top = int(layer.above is None)
        return self._about_layer(calls.COMMIT, layer, is_top=is_top, rate=self.settings.rate_bytes)

    def _fold_offline(self, layer: Layer) -> Call | None:
        below = self.seen.base_format(layer.overlay)
        if below is None or not self._can_fold(layer):
            return None
        tried = made_for(self.made, calls.MERGE_OFFLINE, overlay=layer.overlay)
        if not tried or not self.is_merged(layer.overlay, layer.base, below):
            rate = self.settings.rate_bytes
            return self._again(calls.MERGE_OFFLINE, layer, base_format=below, rate=rate)
        name = calls.REBASE if layer.above else calls.REDEFINE
        if made_for(self.made, name, overlay=layer.overlay):
            return None
        call = self._about_layer(name, layer, base_format=below, image=layer.above)
        return replace(call, follows=True, tidies=True)

    def _again(self, name: str, layer: Layer, **more: str | int | None) -> Call | None:
        """One that was made, and that the reading shows to have had no effect, may be made anew."""
        attempt = len(made_for(self.made, name, overlay=layer.overlay)) + 1
        if attempt > _ATTEMPTS:
            return None
        return self._about_layer(name, layer, attempt=attempt, **more)

    # What is left behind ------------------------------------------------------------------------

    def _forget(self, snapshot: SnapshotXml, *, tried: bool) -> Call | None:
        """Only when our own calls have merged all of its data."""
        folded = [call for call in self.made if call.name in calls.MERGING]
        by_us = {call.about["overlay"] for call in folded}
        overlays = [overlay for _, overlay in self.seen.overlays(snapshot)]
        if not overlays or not all(tried or overlay in by_us for overlay in overlays):
            return None
        for call in self._tidy(folded, snapshot):
            return self._unmade(call)
        if made_for(self.made, calls.FORGET):
            return None
        return replace(self._about_snapshot(calls.FORGET, snapshot), tidies=True)

    def _tidy(self, folded: Sequence[Call], snapshot: SnapshotXml | None) -> Iterator[Call]:
        """What still names or is an overlay that is out of the chain. ``snapshot`` goes itself."""
        machine, seen = self.seen.machine, self.seen
        name = snapshot.name if snapshot else None
        overlays = {calls.about(call, "overlay"): call for call in folded}
        for overlay, call in overlays.items():
            if machine is None or overlay in machine.images:
                continue
            if names(seen.definition, overlay, seen.resolve):
                yield self._renewed(calls.REDEFINE, call)
            for other in seen.naming(overlay, but=name):
                yield self._renewed(calls.REDEFINE_SNAPSHOT, call, other)
        memory = [snapshot.memory_file] if snapshot and snapshot.memory_file else []
        for path in (*overlays, *(seen.resolve(file) for file in memory)):
            if seen.is_file(path) and seen.is_unused(path, but=name):
                about = {"vm_id": seen.uuid, "path": path, "mark": seen.mark(path)}
                unlink = Call(name=calls.UNLINK, about=about)
                # A file that could not be removed is left behind and reported; it misleads nobody.
                yield from () if unlink in self.made else (unlink,)

    def _unmade(self, call: Call) -> Call | None:
        """None for one that is still due although it was made: nothing may follow on it."""
        return None if call in self.made else replace(call, tidies=True)

    def _renewed(self, name: str, merge: Call, other: SnapshotXml | None = None) -> Call:
        about: dict[str, str | int | None] = {
            key: merge.about.get(key) for key in ("vm_id", "disk", "overlay", "base", "base_format")
        }
        if other is not None:
            about |= self._named(other)
        return Call(name=name, about=about)

    # Calls as data ------------------------------------------------------------------------------

    def _about_layer(self, name: str, layer: Layer, **more: str | int | None) -> Call:
        about: dict[str, str | int | None] = {
            "vm_id": self.seen.uuid,
            "disk": layer.target,
            "overlay": layer.overlay,
            "base": layer.base,
            "base_format": self._format(layer),
        }
        return Call(name=name, about=about | more, completes=name == calls.PIVOT)

    def _format(self, layer: Layer) -> str | None:
        below = self.seen.base_format(layer.overlay)
        return below or self.seen.view.around.graph.formats.get(layer.base)

    def _about_snapshot(self, name: str, snapshot: SnapshotXml) -> Call:
        return Call(name=name, about={"vm_id": self.seen.uuid, **self._named(snapshot)})

    def _named(self, snapshot: SnapshotXml) -> Mapping[str, str]:
        record = identity.of_record(self.seen.uuid, snapshot)
        return {"snapshot": snapshot.name, "identity": record}
