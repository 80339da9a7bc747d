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
_ERRAND = "enforce/errand.py"
_VERIFY = "enforce/verify.py"
_RECONCILE = "enforce/reconcile.py"
_EXECUTOR = "enforce/executor.py"
_BREAKER = "enforce/breaker.py"
_PREFLIGHT = "enforce/preflight.py"
_SIGHTINGS = "enforce/sightings.py"
_OFFERS = "enforce/offers.py"
_APPLYING = "app/applying.py"
_PLANNING = "app/planning.py"

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
        "if coverage.state is CoverageState.SUSPICIOUS and is_named:",
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
        "    if not _is_same(wanted.identity, found.identity, is_whole=is_whole):",
        "    if False:",
        "a snapshot recreated in the same second is the same",
    ),
    Mutant(
        _IDENTITY,
        '"kind", "created_at", "parent_id"',
        '"kind", "created_at"',
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
    Mutant(
        _GUARDS,
        "    if current is not None and tree.children(current.id):",
        "    if False:",
        "a machine that was reverted is a line",
    ),
    Mutant(
        _GUARDS,
        "    if skew is not None and abs(skew) > MOST_SKEW.total_seconds():",
        "    if False:",
        "a clock may be hours away",
    ),
    Mutant(
        _GUARDS,
        "    if not case.inventory.lab:",
        "    if False:",
        "a day is the least age in a lab alone",
    ),
    Mutant(
        _ERRAND,
        "        refusal = self._last_look.refusal(seen)\n",
        "        refusal = None\n",
        "nobody looks again right before the act",
    ),
    Mutant(
        _ERRAND, "        self.scribe.mean(call, self.footing)\n", "", "a call without an intent"
    ),
    Mutant(
        _ERRAND,
        "if obstacle is None and self._is_old(seen_at):",
        "if False:",
        "a look may be as old as it likes",
    ),
    Mutant(
        _ERRAND,
        'self.scribe.end(Event.UNKNOWN, f"no answer',
        'self.scribe.end(Event.FAILED, f"no answer',
        "a lost answer is a failure",
    ),
    Mutant(
        _ERRAND, "        if left is not None:", "        if False:", "a renamed target is gone"
    ),
    Mutant(
        _ERRAND,
        "        reason = not_whole(seen, is_named=seen.endpoint in self.ground.named)\n",
        "        reason = None\n",
        "what a partial view does not show is gone",
    ),
    Mutant(
        _ERRAND,
        "        if second_thought is not None:",
        "        if False:",
        "half-done work goes on whatever is held or cloned by then",
    ),
    Mutant(
        _ERRAND,
        "return self.alarm or self.forbidden() or self.ground.objection()",
        "return self.alarm or self.ground.objection()",
        "an open breaker stops no work that has begun",
    ),
    Mutant(
        _ERRAND,
        "return self.alarm or self.forbidden() or self.ground.objection()",
        "return self.forbidden() or self.ground.objection()",
        "a full datastore stops no work that has begun",
    ),
    Mutant(
        _ERRAND,
        "return self.alarm or self.forbidden() or self.ground.objection()",
        "return self.alarm or self.forbidden()",
        "a lost lock or an expired plan stops no work that has begun",
    ),
    Mutant(
        _ERRAND,
        "        if self.ground.stops():\n            return STOPPED\n",
        "",
        "a signal stops no work that has begun",
    ),
    Mutant(
        _ERRAND,
        "        if seen.is_done and seen.vm is not None:",
        "        if (seen.is_done or ended.phase is Phase.OVER) and seen.vm is not None:",
        "the platform's word is believed",
    ),
    Mutant(
        _ERRAND,
        "        if seen.is_untouched and not seen.alarms:",
        "        if not seen.is_done:",
        "half-done work is a failure",
    ),
    Mutant(
        _ERRAND,
        "    return seen.compared.standing is not Standing.CHANGED\n",
        "    return True\n",
        "work goes on although something else changed",
    ),
    Mutant(
        _VERIFY,
        "        if snapshot_id not in there:",
        "        if False:",
        "a lost sibling is no alarm",
    ),
    Mutant(
        _VERIFY,
        "        elif there[snapshot_id] != identity:",
        "        elif False:",
        "a sibling that is another one is no alarm",
    ),
    Mutant(
        _VERIFY,
        "    if vm.power_state is not before.power_state:",
        "    if False:",
        "a machine that went off is no alarm",
    ),
    Mutant(
        _VERIFY,
        "Standing.ABSENT and self.compared.disks_settled\n        return gone",
        "Standing.ABSENT\n        return gone",
        "done although images are left",
    ),
    Mutant(
        _VERIFY,
        "return self.compared.standing is Standing.MATCH and not self.is_busy",
        "return self.compared.standing is Standing.MATCH",
        "untouched although something goes on",
    ),
    Mutant(
        _RECONCILE,
        "    if seen.is_busy and not completes:\n        return None\n",
        "",
        "a call under way has had no effect",
    ),
    Mutant(
        _RECONCILE,
        "alike >= _LOOKS or not found.is_absence",
        "True",
        "one look is enough to send again",
    ),
    Mutant(
        _RECONCILE,
        "        if reason is not None:\n            return _Finding(None, reason)\n        made",
        "        made",
        "a partial view settles what is open",
    ),
    Mutant(
        _RECONCILE,
        "        before = footing_of(course.entries)\n",
        "        before = None\n",
        "after a restart nobody remembers how the machine was",
    ),
    Mutant(
        _EXECUTOR,
        "            if may_start(action, [errand.action for errand in self._under_way]):",
        "            if True:",
        "everything begins at once",
    ),
    Mutant(
        _EXECUTOR,
        "        if (action.endpoint, action.vm_id) in self._spoilt:",
        "        if False:",
        "a failure spoils nothing on its machine",
    ),
    Mutant(
        _EXECUTOR, "        self._breaker.note(outcome)\n", "", "the breaker hears of no failure"
    ),
    Mutant(
        _EXECUTOR,
        "            self._breaker.open(errand.alarm)\n",
        "            pass\n",
        "an alarm opens no breaker",
    ),
    Mutant(
        _BREAKER,
        'self.open(f"what became of {name} is unknown")',
        "return",
        "the unknown opens no breaker",
    ),
    Mutant(
        _BREAKER,
        "        if self._in_a_row >= _MOST_FAILURES:",
        "        if False:",
        "failures in a row open no breaker",
    ),
    Mutant(
        _PREFLIGHT,
        "    if len(changed) > most:",
        "    if False:",
        "the world may have changed as much as it likes",
    ),
    Mutant(
        _SIGHTINGS,
        "        if 2 * is_now < was and was - is_now >= least:",
        "        if False:",
        "half a list is believed",
    ),
    Mutant(
        _OFFERS,
        "    if rule.mode is Mode.REPORT:",
        "    if False:",
        "a rule that only reports deletes",
    ),
    Mutant(
        _OFFERS,
        "finding.due_at is not None and finding.due_at > now:",
        "False:",
        "a mark needs no grace",
    ),
    Mutant(
        _OFFERS,
        "for place, found in asked.items() if place not in exempt",
        "for place, found in asked.items()",
        "an exemption protects nothing",
    ),
    Mutant(_APPLYING, "    if not lock.still_held():", "    if False:", "a lost lock is no loss"),
    Mutant(
        _APPLYING,
        "    if now >= chosen.expires_at:",
        "    if False:",
        "a plan does not expire during a run",
    ),
    Mutant(_APPLYING, "    if settled.open:", "    if False:", "what is not settled stops nothing"),
    Mutant(
        _APPLYING,
        "        if present is not None and present != manager.manager_id:",
        "        if False:",
        "another manager is first noticed at each machine",
    ),
    Mutant(
        _APPLYING,
        '        raise RefusedError(f"within-limits: {over[0].limit}: {over[0].reason}")\n',
        "        pass\n",
        "limits are those of the day of the plan",
    ),
    Mutant(_PLANNING, "    if chosen.expires_at <= now or ", "    if ", "a plan does not expire"),
    Mutant(
        _PLANNING,
        "    if _use(chosen, journal) is Use.USED:",
        "    if False:",
        "a plan is carried out as often as one likes",
    ),
    Mutant(
        _PLANNING,
        "    if chosen.config_digest != config_digest(settings):",
        "    if False:",
        "the configuration may have changed",
    ),
    Mutant(
        _PLANNING,
        "    if chosen.rules_digest != digest(policy):",
        "    if False:",
        "the rules may have changed",
    ),
    Mutant(
        _PLANNING,
        "    over = excess(chosen.actions, settings.limits, census_of(chosen))\n",
        "    over = ()\n",
        "a plan over a limit is read all the same",
    ),
)
