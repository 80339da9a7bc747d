"""What happens when a bed cannot be had: a skip that says why, or a failure where beds are due."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

REQUIRED = "SNAPAUDIT_REQUIRE_BEDS"


def require_bed(reason: str) -> NoReturn:
    """End the present test: skipped with the reason, failed where ``SNAPAUDIT_REQUIRE_BEDS=1``."""
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"a test bed is required here and cannot be had: {reason}", pytrace=False)
    pytest.skip(f"test bed: {reason}")


def require_program(name: str) -> str:
    """The full path of a program, looked for in the system folders too; else `require_bed`."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    found = shutil.which(name, path=path)
    if found is None:
        require_bed(f"{name} is not installed")
    return found
