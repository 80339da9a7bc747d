"""Markers: proof of a purpose, found in a text, a creator or what the platform tells."""

from __future__ import annotations

from collections.abc import Iterable

from snapaudit.rules.patterns import PatternSet, as_utf8
from snapaudit.rules.purposes.catalogue import Catalogue, Field, Marker, read_catalogue
from snapaudit.rules.purposes.shape import pattern_of_shapes


class Markers:
    """Finds the markers of a catalogue; of those that fit, the first one wins."""

    def __init__(self, catalogue: Catalogue | None = None) -> None:
        self.catalogue = catalogue or read_catalogue()
        self.markers = self.catalogue.markers
        self.accounts = self.catalogue.accounts
        self.names = self.catalogue.names
        self._set = PatternSet(
            (f"(?m:{pattern_of_shapes(marker.pattern)})", marker.place) for marker in self.markers
        )
        self._account_set = PatternSet((marker.pattern, marker.place) for marker in self.accounts)

    def of_kind(self, hypervisor: str, kind: str) -> Marker | None:
        """The marker that the platform's own type of snapshot is, if it is one."""
        return self.catalogue.kinds.get((hypervisor, kind))

    def of_protections(self, protections: Iterable[str]) -> Marker | None:
        """The purpose that a protection proves which the collector found, if one does."""
        for protection in protections:
            if marker := self.catalogue.protections.get(protection.partition(":")[0]):
                return marker
        return None

    def in_text(self, shape: str, field: Field) -> int | None:
        """The number of the first marker in the shape of a name or description, if any."""
        found = self._set.numbers(as_utf8(shape))
        return min((n for n in found if field in self.markers[n].fields), default=None)

    def of_account(self, creator: str) -> Marker | None:
        """The product whose account made a snapshot, if it is known as one."""
        first = min(self._account_set.numbers(as_utf8(creator)), default=None)
        return None if first is None else self.accounts[first]
