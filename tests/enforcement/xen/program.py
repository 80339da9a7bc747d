"""The program, with pools of kind ``xen`` among its platforms, and dying where it is told to.

``python -m tests.enforcement.xen.program WORDS...`` is ``snapaudit WORDS...``; with ``MOMENT:N`` in
front of them it dies at that entry of its journal. A process that it starts to read an endpoint
runs this module too, and so knows the same platforms.
"""

from __future__ import annotations

import sys

from snapaudit import registry
from snapaudit.__main__ import main
from snapaudit.enforce.journal import Journal
from snapaudit.ports import Hypervisor
from tests.enforcement.dying import Moment, _dying

_kinds, _hypervisor = registry.kinds, registry.hypervisor


def _known() -> tuple[str, ...]:
    return tuple(sorted({*_kinds(), "xen"}))


def _of_kind(kind: str) -> Hypervisor:
    if kind in _kinds():
        return _hypervisor(kind)
    from snapaudit.hypervisors.xen import XEN

    return XEN


registry.kinds, registry.hypervisor = _known, _of_kind

if __name__ == "__main__":
    words = sys.argv[1:]
    moment, _, number = words[0].partition(":") if words else ("", "", "")
    if number.isdecimal():
        setattr(Journal, "_write", _dying(Journal._write, Moment(moment), int(number)))  # noqa: B010
        del words[0]
    sys.argv = ["snapaudit", *words]
    main()
