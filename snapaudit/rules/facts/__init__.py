"""Facts: one small function for everything a rule can measure.

Adding a fact is adding a function: its parameter says what it is about, its return annotation how a
bound is written, its docstring is its line in the documentation. What is asked about a machine can
be asked about each of its snapshots (``vm_power``), and what is asked about an endpoint about all
that is on it (``endpoint_coverage``).
"""

from __future__ import annotations

from snapaudit.rules.facts import (
    chain,
    datastore,
    endpoint,
    exemption,
    file,
    filing,
    snapshot,
    virtual_machine,
)
from snapaudit.rules.facts.registry import BoundType, Fact, all_facts, facts_of

_MODULES = (chain, datastore, endpoint, exemption, file, filing, snapshot, virtual_machine)

__all__ = ["BoundType", "Fact", "all_facts", "facts_of"]
