"""Who runs the program."""

from __future__ import annotations

import os
import pwd


def user() -> str:
    """The account's name, by the account itself: a variable like ``LOGNAME`` may say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
