"""PowerShell as far as our bootstrap needs it: takes command and input apart, and checks them.

The script has to be, byte for byte, what the package ships, read here from its files.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from snapaudit.hypervisors import hyperv
from snapaudit.hypervisors.hyperv.delivery import PARTS

Respond = Callable[[str, Mapping[str, Any]], Iterator[str]]
"""What the host says to a script of that name with that argument, line by line."""

SCRIPTS = Path(hyperv.__file__).parent / "scripts"
CMD_LIMIT, DIRECT_LIMIT = 8191, 32766


class Unexpected(Exception):
    """Something was sent that a host could not run, or that is not ours."""


def shipped() -> dict[bytes, str]:
    """The names of the scripts by their whole text."""
    return {
        b"\n".join((SCRIPTS / f"{part}.ps1").read_bytes() for part in parts): name
        for name, parts in PARTS.items()
    }


def check_command(line: str, *, is_direct: bool) -> None:
    """A command line that starts our bootstrap, of a length that Windows takes."""
    if len(line) > (DIRECT_LIMIT if is_direct else CMD_LIMIT):
        raise Unexpected("The command line is too long.")
    program, *words = line.split()
    if program.lower() != "powershell.exe" or "-EncodedCommand" not in words:
        raise Unexpected(f"'{program}' is not recognized as an internal or external command")
    text = base64.b64decode(words[words.index("-EncodedCommand") + 1]).decode("utf-16-le")
    ours = (SCRIPTS / "bootstrap.ps1").read_text("utf-8").splitlines()
    if text.splitlines() != [one for one in ours if one and not one.startswith("#")]:
        raise Unexpected("the bootstrap is not the one that is shipped")


def unpack(given: bytes) -> tuple[str, dict[str, Any]]:
    """Script and argument out of what came on standard input."""
    try:
        packed, argument = given.decode("ascii").splitlines()
        text = zlib.decompress(base64.b64decode(packed, validate=True), -15)
        wish = json.loads(base64.b64decode(argument, validate=True))
    except (ValueError, zlib.error, binascii.Error) as error:
        raise Unexpected(f"the input is not two lines of script and argument: {error}") from error
    name = shipped().get(text)
    if name is None or not isinstance(wish, dict):
        raise Unexpected("the script is not one that is shipped")
    return name, wish
