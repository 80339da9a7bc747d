"""The mutants: each takes one protection away from the safety core."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_GUARDS = "enforce/guards.py"
_IDENTITY = "enforce/identity.py"
_LIMITS = "enforce/limits.py"
_SPACE = "enforce/space.py"
_COURSE = "enforce/course.py"
_CHAIN = "enforce/chain.py"
_JOURNAL = "enforce/journal.py"
_SEALING = "enforce/sealing.py"
_LOCK = "enforce/lock.py"
_HOLDS = "enforce/holds.py"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        _GUARDS,
        "if case.inventory.connection_verified is True:",
        "if case.inventory.connection_verified is not False:",
        "an unknown connection counts as verified",
    ),
    Mutant(
        _GUARDS,
        "if coverage.state is CoverageState.COMPLETE:",
        "if coverage.state is not CoverageState.MISSING:",
        "a partial view is enough",
    ),
    Mutant(
        _GUARDS,
        "if coverage.state is CoverageState.SUSPICIOUS and case.is_named:",
        "if coverage.state is CoverageState.SUSPICIOUS:",
        "a suspicious view is believed without being named",
    ),
    Mutant(
        _GUARDS,
        "if compared.standing is Standing.MATCH:",
        "if compared.standing is not Standing.ABSENT:",
        "a changed target counts as unchanged",
    ),
    Mutant(_GUARDS, "    return case.held\n", "    return None\n", "holds are not looked at"),
    Mutant(
        _GUARDS,
        "    if case.unsettled is not None:\n        return case.unsettled\n",
        "",
        "an earlier run's open call on the machine is ignored",
    ),
    Mutant(
        _GUARDS,
        "    if not case.vm.busy:\n        return None\n",
        "    return None\n",
        "a busy machine is no obstacle",
    ),
    Mutant(
        _GUARDS,
        '    if case.vm.busy is None:\n        return "',
        '    if False:\n        return "',
        "unknown whether busy passes as idle",
    ),
    Mutant(
        _GUARDS,
        "if case.vm.consolidation_needed is not False:",
        "if case.vm.consolidation_needed:",
        "unknown whether consolidation is needed passes as no",
    ),
    Mutant(
        _GUARDS,
        "if len(tree.children(shot.id)) > 1]",
        "if len(tree.children(shot.id)) > 2]",
        "a branched tree is a line",
    ),
    Mutant(
        _GUARDS,
        "if len(tree.roots) > 1:",
        "if len(tree.roots) > 9:",
        "several roots are a line",
    ),
    Mutant(
        _GUARDS,
        "found = (*vm.protections, *snapshot.protections)",
        "found = vm.protections",
        "a snapshot's own protections are not looked at",
    ),
    Mutant(
        _GUARDS,
        "found = (*vm.protections, *snapshot.protections)",
        "found = snapshot.protections",
        "a machine's protections are not looked at",
    ),
    Mutant(
        _GUARDS,
        "if case.purpose is not None and case.purpose.purpose in _OF_OTHERS:",
        "if False and case.purpose is not None:",
        "a backup product's snapshot may be deleted",
    ),
    Mutant(
        _GUARDS,
        "    if vm.is_template:\n",
        "    if False:\n",
        "a template is like any machine",
    ),
    Mutant(
        _GUARDS,
        "if snapshot is not None and snapshot.has_memory is not False and not",
        "if snapshot is not None and snapshot.has_memory and not",
        "unknown whether it holds memory passes as no",
    ),
    Mutant(
        _GUARDS,
        "if case.snapshot is not None and case.snapshot.size_bytes is None:",
        "if False and case.snapshot is not None:",
        "a snapshot of unknown size passes",
    ),
    Mutant(
        _GUARDS,
        "if store.free_bytes - needs >= reserve:",
        "if store.free_bytes >= needs:",
        "a merge may eat the reserve",
    ),
    Mutant(
        _GUARDS,
        "window is None or window.is_open(case.now):",
        "window is None or True:",
        "the window is always open",
    ),
    Mutant(
        _IDENTITY,
        'if expected.manager_id != (seen.manager_id or ""):',
        "if False:",
        "another manager may answer under the endpoint's name",
    ),
    Mutant(
        _IDENTITY,
        '"created_at", "identity", "parent_id"',
        '"created_at", "parent_id"',
        "a snapshot recreated in the same second is the same",
    ),
    Mutant(
        _IDENTITY,
        '"created_at", "identity", "parent_id"',
        '"created_at", "identity"',
        "a snapshot may have another parent",
    ),
    Mutant(
        _IDENTITY,
        "    if wanted.child_ids != found.child_ids:",
        "    if False:",
        "a new child is no change",
    ),
    Mutant(
        _IDENTITY,
        "    if vm.name != expected.vm_name:",
        "    if False:",
        "a renamed machine is the same",
    ),
    Mutant(
        _IDENTITY,
        "if sum(vm.id == vm_id for vm in seen.virtual_machines) > 1:",
        "if False:",
        "one id may name two machines",
    ),
    Mutant(
        _IDENTITY,
        "        elif present != tuple(p for p in planned if p in present or p not in removed):",
        "        elif False:",
        "a chain may be another",
    ),
    Mutant(
        _LIMITS,
        "    if found > allowed:",
        "    if False:",
        "no limit is ever exceeded",
    ),
    Mutant(
        _LIMITS,
        "if any(other.vm_id == action.vm_id for other in beside):",
        "if False:",
        "two merges at once on one machine",
    ),
    Mutant(
        _LIMITS,
        "    if not busy.isdisjoint(action.datastore_ids):",
        "    if False:",
        "two merges at once on one datastore",
    ),
    Mutant(
        _LIMITS,
        "    if len(in_flight) >= OVERALL:",
        "    if False:",
        "any number of merges at once",
    ),
    Mutant(
        _SPACE,
        "total = sum(known) if len(known) == len(sizes) else None",
        "total = sum(known)",
        "an unknown delta counts as nothing",
    ),
    Mutant(
        _COURSE,
        '            return "nobody has looked yet what became of its last call"',
        "            return None",
        "a second intent without a look",
    ),
    Mutant(
        _COURSE,
        "        if _call(draft.detail) in self._meant:",
        "        if False:",
        "the same call meant twice",
    ),
    Mutant(
        _COURSE,
        "if last and last.event is Event.UNKNOWN and event",
        "if False and event",
        "something else than a resolution ends the unknown",
    ),
    Mutant(
        _COURSE,
        "            if key != (draft.plan_id, draft.action_id) and course.machine == machine:",
        "            if False:",
        "a call while another action on the machine is open",
    ),
    Mutant(
        _COURSE,
        "        return Use.USED if action_ids <= over else Use.INTERRUPTED",
        "        return Use.INTERRUPTED",
        "a plan is never used up",
    ),
    Mutant(
        _CHAIN,
        '    if record["hash"] != _hash(record):',
        "    if False:",
        "an edited entry is believed",
    ),
    Mutant(
        _CHAIN,
        "    if entry.previous != (last.hash if last else BEGINNING):",
        "    if False:",
        "entries need not follow from one another",
    ),
    Mutant(
        _JOURNAL,
        "        if self._broken is not None:",
        "        if False:",
        "writing goes on after a failed write",
    ),
    Mutant(
        _JOURNAL,
        "        self._disk.sync(self._handle)\n\n    def _check_untouched",
        "\n    def _check_untouched",
        "an entry is not durable",
    ),
    Mutant(
        _JOURNAL,
        "        if written != len(line):",
        "        if False:",
        "half an entry is enough",
    ),
    Mutant(
        _JOURNAL,
        "    if not _is_noted(raw, chain):",
        "    if False:",
        "a shortened journal is believed",
    ),
    Mutant(
        _SEALING,
        '    document = _document(path)\n    if document.get("digest") != digest_of(document):',
        "    document = _document(path)\n    if False:",
        "an edited plan is believed",
    ),
    Mutant(
        _SEALING,
        '    if _registered(state, plan.id, path).get("digest") != document["digest"]:',
        "    if False:",
        "a plan sealed elsewhere is believed",
    ),
    Mutant(
        _SEALING,
        "        if not _REVIEWED.fullmatch(field):",
        "        if False:",
        "a reviewer may change anything",
    ),
    Mutant(
        _LOCK,
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB",
        "two runs at once",
    ),
    Mutant(
        _HOLDS,
        "    return hold.expires_at is None or now < hold.expires_at",
        "    return hold.expires_at is not None and now < hold.expires_at",
        "a hold without an end, or a malformed one, holds nothing",
    ),
    Mutant(
        _HOLDS,
        "        if self.unreadable is not None:",
        "        if False:",
        "holds that cannot be read hold nothing",
    ),
)
