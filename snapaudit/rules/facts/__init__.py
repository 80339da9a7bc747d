"""Facts: one small function for everything a rule can measure.

Adding a fact is adding a function: its parameter says what it is about, its return annotation how a
bound is written, its docstring is its line in the documentation.
"""

from __future__ import annotations

from snapaudit.rules.facts import datastore, endpoint, exemption, file, snapshot, virtual_machine
from snapaudit.rules.facts.registry import BoundType, Fact, all_facts, facts_of

_MODULES = (datastore, endpoint, exemption, file, snapshot, virtual_machine)

__all__ = ["BoundType", "Fact", "all_facts", "facts_of"]
