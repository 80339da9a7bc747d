"""What becomes of an inventory in any run: it is judged, written down, and read again."""

from __future__ import annotations

from functools import cache

from snapaudit.codec.documents import from_json, to_bytes
from snapaudit.errors import SnapauditError
from snapaudit.model.inventory import Inventory
from snapaudit.model.policy import Policy
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.builders import NOW
from tests.fuzz.target import Wrong


@cache
def policy() -> Policy:
    """The built-in rules."""
    return load_policy((), disable={}, levels={}, environments=())


def goes_through(inventory: Inventory) -> None:
    """Raises Wrong where an inventory that was read cannot be used; an error in it is nobody's."""
    try:
        to_bytes(audit([inventory], policy(), NOW))
        again = from_json(Inventory, to_bytes(inventory), "what was written")
    except SnapauditError as error:
        raise Wrong(f"an inventory that was read cannot be used: {error}") from error
    if again != inventory:
        raise Wrong("an inventory does not read back as it was written")
