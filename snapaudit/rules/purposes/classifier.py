"""Classifier: the purpose of one snapshot: proof first, then words, then the score."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache, lru_cache

from snapaudit.model.inventory import Snapshot
from snapaudit.model.past import Growth
from snapaudit.rules.purposes.catalogue import Marker, read_catalogue
from snapaudit.rules.purposes.company import Company
from snapaudit.rules.purposes.expiry import Expiry, ExpiryReader
from snapaudit.rules.purposes.folding import tokens
from snapaudit.rules.purposes.lexicon import Topic, read_words, words_of
from snapaudit.rules.purposes.markers import Markers
from snapaudit.rules.purposes.procedure import purpose_by_words
from snapaudit.rules.purposes.reading import PurposeWord, Reading
from snapaudit.rules.purposes.score import Clues, score
from snapaudit.rules.purposes.signs import read_signs
from snapaudit.rules.purposes.weights import read_weights
from snapaudit.rules.purposes.wording import Wording, WordingReader
from snapaudit.rules.quantity import Unknown

_REMEMBERED = 8192
_ALWAYS_MISSING = ("reverts", "backups made elsewhere")
_OF_A_TEMPLATE = frozenset((Topic.TEMPLATE, Topic.CLONE, Topic.INITIAL))
_OF_A_PERSON = (Topic.KEEP, Topic.MILESTONE, Topic.BY_HAND, Topic.OCCASION)
_WHERE_ACCOUNTS_DECIDE = frozenset(
    (PurposeWord.UNKNOWN, PurposeWord.MAKESHIFT_BACKUP, PurposeWord.SCHEDULED)
)


class Classifier:
    """Reads snapshots with the markers, words and weights of the data files."""

    def __init__(self) -> None:
        catalogue = read_catalogue()
        words = (*read_words(), *words_of(catalogue.names))
        self._markers = Markers(catalogue)
        self._wordings = WordingReader(self._markers, read_signs(), words)
        self._expiry = ExpiryReader(words)
        self._weights = read_weights()
        self._read_clues = lru_cache(_REMEMBERED)(self._from_clues)
        self._count_step = lru_cache(_REMEMBERED)(self._weights.count_step)
        self._of_account = lru_cache(_REMEMBERED)(self._markers.of_account)
        self._is_script_account = lru_cache(_REMEMBERED)(self._names_a_script)
        self._is_template = lru_cache(_REMEMBERED)(self._names_a_template)

    def read(
        self,
        snapshot: Snapshot,
        age: timedelta | Unknown,
        company: Company,
        now: datetime,
        growth: Growth | Unknown | None = None,
    ) -> tuple[Reading, Expiry]:
        """The purpose of a snapshot with score and reasons, and the last day that it declares."""
        wording = self._wordings.read(snapshot.name, snapshot.description, company.vm_name)
        expiry = self._expires_at(snapshot, wording)
        marker = self._proof(snapshot, company, wording)
        if marker is not None:
            return _told(marker, wording, is_proven=True), expiry
        protected = self._protected(snapshot, company)
        if protected is not None:
            return _told(protected, wording, is_proven=False), expiry
        is_unexpired = isinstance(expiry, datetime) and expiry > now
        clues = self._clues(snapshot, age, company, wording, is_unexpired, growth)
        return self._read_clues(clues), expiry

    def _proof(self, snapshot: Snapshot, company: Company, wording: Wording) -> Marker | None:
        found = self._markers.of_kind(company.hypervisor, snapshot.kind) or wording.marker
        if found is None and snapshot.creator is not None and _may_be_a_products(wording):
            found = self._of_account(snapshot.creator)
        return found

    def _protected(self, snapshot: Snapshot, company: Company) -> Marker | None:
        """What stands on it tells its purpose. Rules still speak of it, and a guard keeps it."""
        if not snapshot.protections:
            return None
        own = (one for one in snapshot.protections if one not in company.protections)
        return self._markers.of_protections(own)

    def _expires_at(self, snapshot: Snapshot, wording: Wording) -> Expiry:
        if not wording.may_declare_expiry:
            return None
        told = self._expiry.expires_at(snapshot.description)
        return self._expiry.expires_at(snapshot.name) if told is None else told

    def _clues(
        self,
        snapshot: Snapshot,
        age: timedelta | Unknown,
        company: Company,
        wording: Wording,
        is_unexpired: bool,
        growth: Growth | Unknown | None,
    ) -> Clues:
        known_age = None if isinstance(age, Unknown) else age
        size, creator = snapshot.size_bytes, snapshot.creator
        return Clues(  # in the order of its fields: this is made once for every snapshot there is
            wording,
            self._weights.age_step(known_age),
            self._count_step(company.snapshots),
            company.rhythm,
            company.is_rotating,
            known_age is not None and known_age < self._weights.young_age,
            size is not None and _is_large(size, company, self._weights.large_share),
            isinstance(growth, Growth) and growth.low_bytes > 0,
            is_unexpired,
            creator is not None and self._is_script_account(creator),
            Topic.INITIAL in wording.topics and self._is_template(company.vm_name),
            _missing(known_age is None, creator is None, size is None, not company.is_rotating),
        )

    def _from_clues(self, clues: Clues) -> Reading:
        points, reasons = score(clues, self._weights)
        purpose, words = purpose_by_words(clues.wording)
        if purpose is PurposeWord.UNKNOWN and clues.is_of_template:
            purpose, words = PurposeWord.CLONE_BASE, ("the first state of a template",)
        elif purpose is PurposeWord.UNKNOWN and self._behaves_like_a_backup(clues, points):
            purpose = PurposeWord.MAKESHIFT_BACKUP
        return Reading(
            purpose=purpose,
            is_proven=False,
            score=points,
            reasons=(*words, *(reason for reason in reasons if reason not in words)),
            has_ticket=clues.wording.has_ticket,
            product=clues.wording.product,
        )

    def _behaves_like_a_backup(self, clues: Clues, points: int) -> bool:
        return points >= self._weights.likely and (clues.is_rotating or clues.rhythm is not None)

    def _names_a_script(self, creator: str) -> bool:
        return not self._weights.script_words.isdisjoint(tokens(creator))

    def _names_a_template(self, vm_name: str) -> bool:
        topics = self._wordings.read(vm_name, "", "").topics
        return not _OF_A_TEMPLATE.isdisjoint(topics)


@cache
def classifier() -> Classifier:
    """The classifier with the data files of the package, read once."""
    return Classifier()


@lru_cache(_REMEMBERED)
def _may_be_a_products(wording: Wording) -> bool:
    """Whether the words leave it open who made the snapshot, so that its account decides."""
    purpose, _ = purpose_by_words(wording)
    by_a_person = any(topic in wording.topics for topic in _OF_A_PERSON)
    return purpose in _WHERE_ACCOUNTS_DECIDE and not by_a_person


@lru_cache(_REMEMBERED)
def _told(marker: Marker, wording: Wording, *, is_proven: bool) -> Reading:
    return Reading(
        purpose=marker.purpose,
        is_proven=is_proven,
        score=0,
        reasons=(f"proof: {marker.says}", *wording.cut),
        has_ticket=wording.has_ticket,
    )


def _is_large(size_bytes: int, company: Company, share: float) -> bool:
    return bool(company.disk_bytes) and size_bytes > (company.disk_bytes or 0) * share


@cache
def _missing(no_age: bool, no_creator: bool, no_size: bool, no_history: bool) -> tuple[str, ...]:
    """The evidence that could not be had, in words."""
    absent = {
        "its age": no_age,
        "its creator": no_creator,
        "its size": no_size,
        "earlier snapshots of the machine": no_history,
    }
    return (*(name for name, is_absent in absent.items() if is_absent), *_ALWAYS_MISSING)
