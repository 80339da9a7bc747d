"""Where the configuration is: named, in the folder at hand, the user's, the system's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from snapaudit.errors import InputError

FILE_NAME = "snapaudit.yaml"
VARIABLE = "SNAPAUDIT_CONFIG"
SYSTEM = Path("/etc/snapaudit") / FILE_NAME


def find(explicit: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """The configuration in force, None when there is none anywhere.

    In this order: the option, ``SNAPAUDIT_CONFIG``, ``cwd``, the user's folder, the system's. A
    file that was named has to exist: InputError otherwise.
    """
    if explicit is not None:
        return _named(cwd / explicit, "named by --config")
    if environ.get(VARIABLE):
        return _named(cwd / environ[VARIABLE], f"named by {VARIABLE}")
    places = (cwd / FILE_NAME, *_of_user(environ), SYSTEM)
    return next((path for path in places if _exists(path)), None)


def _named(path: Path, by: str) -> Path:
    if not _exists(path):
        raise InputError(str(path), f"does not exist, or its folder cannot be entered ({by})")
    return path


def _of_user(environ: Mapping[str, str]) -> Iterator[Path]:
    """As the XDG Base Directory Specification says: a relative path in the variable is ignored."""
    configured = Path(environ.get("XDG_CONFIG_HOME", ""))
    if configured.is_absolute():
        yield configured / "snapaudit" / FILE_NAME
    elif environ.get("HOME"):
        yield Path(environ["HOME"]) / ".config" / "snapaudit" / FILE_NAME


def _exists(path: Path) -> bool:
    """Whether it is there for us. A daemon may keep a HOME that its own user cannot enter."""
    try:
        return path.exists()
    except OSError:
        return False
