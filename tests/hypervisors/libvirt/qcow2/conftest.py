from __future__ import annotations

import pytest

from tests.hypervisors.libvirt.qcow2.images import require_tools


@pytest.fixture
def tools() -> None:
    require_tools()
