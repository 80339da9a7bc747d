"""What is sent to a host: a small bootstrap as the command, script and argument as its input.

The scripts are constant and shipped with this package. What varies is one JSON argument, so no name
of a machine or file ever becomes part of a command. `docs/hypervisors/hyperv.md` tells the way.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.hyperv.runner import Argument

PROGRAM = "powershell.exe"
PARTS: Mapping[str, tuple[str, ...]] = {
    "collect": ("rows", "machines", "collect"),
    "remove": ("rows", "machines", "remove"),
    "watch": ("rows", "machines", "watch"),
}
"""Every script by its name, and the files it is made of."""
LONGEST_LINE = 2**20
"""Letters of a row; more than that no host has to say of one object."""

_SWITCHES = ("-NoLogo", "-NoProfile", "-NonInteractive", "-OutputFormat", "Text")
_RAW = -15  # zlib's window bits for a raw deflate stream


@cache
def script(name: str) -> str:
    """The whole text of a shipped script."""
    return "\n".join(_file(part) for part in PARTS[name])


def _file(name: str) -> str:
    folder = resources.files("snapaudit.hypervisors.hyperv") / "scripts"
    return (folder / f"{name}.ps1").read_text("utf-8")


@cache
def bootstrap() -> str:
    """The bootstrap as it travels: without comments and blank lines."""
    lines = _file("bootstrap").splitlines()
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def switches() -> tuple[str, ...]:
    """The arguments of PowerShell's process, about 2,000 letters."""
    encoded = base64.b64encode(bootstrap().encode("utf-16-le")).decode("ascii")
    return (*_SWITCHES, "-EncodedCommand", encoded)


def encoded(argument: Mapping[str, Argument]) -> str:
    """An argument as every script takes it: base64 of JSON."""
    return base64.b64encode(json.dumps(argument).encode("ascii")).decode("ascii")


def standard_input(name: str, argument: Mapping[str, Argument]) -> bytes:
    """Two ASCII lines: the script, deflated, and its argument."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _RAW)
    packed = packer.compress(script(name).encode("utf-8")) + packer.flush()
    return base64.b64encode(packed) + b"\n" + encoded(argument).encode("ascii") + b"\n"


class Lines:
    """Cuts what arrives in pieces into lines; HypervisorError when one of them has no end."""

    def __init__(self, where: str) -> None:
        self._where, self._rest = where, b""

    def feed(self, piece: bytes) -> list[str]:
        """The lines that are complete by now."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise HypervisorError(f"{self._where}: the answer has a line without end")
        return [_text(line) for line in whole]

    def end(self) -> list[str]:
        """The last line, where it was not ended."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest.strip() else []


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", "replace")
