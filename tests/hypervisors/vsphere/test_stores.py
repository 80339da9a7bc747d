"""Which file a path means, whichever datacenter names it."""

from __future__ import annotations

import pytest

from snapaudit.hypervisors.vsphere.datastores import Stores
from snapaudit.hypervisors.vsphere.raw import RawObject


def _store(moid: str, name: str, url: str | None) -> RawObject:
    return RawObject("Datastore", moid, {"name": name} | ({"summary.url": url} if url else {}))


_ONE_TO_ONE = (_store("ds-1", "gold", "ds:///a/"), _store("ds-2", "silver", None))
_TWO_NAMES = (_store("ds-1", "gold", "ds:///a/"), _store("ds-2", "silver", "ds:///a/"))
_ONE_NAME = (_store("ds-1", "gold", "ds:///a/"), _store("ds-2", "gold", "ds:///b/"))


@pytest.mark.parametrize("stores", [_ONE_TO_ONE, _TWO_NAMES, _ONE_NAME])
def test_a_file_is_the_same_with_and_without_the_blank_after_its_datastore(
    stores: tuple[RawObject, ...],
) -> None:
    found = Stores(stores)
    plain = found.file_id("[gold]web/web] 1.vmdk", ("ds-1",))
    assert found.file_id("[gold] web/web] 1.vmdk", ("ds-1",)) == plain


def test_a_volume_under_two_names_holds_one_file() -> None:
    found = Stores(_TWO_NAMES)
    assert found.file_id("[gold] w/w.vmdk", ("ds-1",)) == found.file_id(
        "[silver] w/w.vmdk", ("ds-2",)
    )


def test_two_volumes_of_one_name_hold_two_files() -> None:
    found = Stores(_ONE_NAME)
    assert found.file_id("[gold] w/w.vmdk", ("ds-1",)) != found.file_id(
        "[gold] w/w.vmdk", ("ds-2",)
    )


def test_two_datastores_hold_two_files() -> None:
    found = Stores(_ONE_TO_ONE)
    assert found.file_id("[gold] w/w.vmdk", ()) != found.file_id("[silver] w/w.vmdk", ())
