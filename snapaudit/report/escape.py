r"""The one place where foreign text is made harmless: one function for each kind of output.

A name comes from whoever may create a snapshot. It may hold terminal commands, marks that turn the
reading direction round, formulas or markup. Nothing is dropped that could hide a difference between
two names: what cannot be seen is written out, like ``\u202e``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import accumulate

_ELLIPSIS = "…"
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0d"
    "\U000e0100-\U000e01ef]"
)
_EMOJI_STYLE = re.compile("[\ufe0e\ufe0f]")
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r]")
_MARKDOWN = re.compile(r"[\\`*_\[\]|~#!]|(?<=www)\.|:(?=//)", re.IGNORECASE)
_PERFDATA = re.compile(r"['=|%]")
_NO_SERVICE = re.compile(r"""[`;~!$%^&*|\\'"<>?,()=]""")
_LINK = re.compile("[:\uff1a]//")
_XLSX_LONGEST = 32_767


def plain(text: str, limit: int | None = None) -> str:
    """Text for a terminal, a log or a page: one line, nothing hidden, nothing that commands.

    Control characters become their pictures, a line break ``⏎``; invisible and direction marks
    their code. With a limit in display columns the middle of a longer text gives way to ``…``.
    """
    shown = _EMOJI_STYLE.sub("", text)
    if not shown.isprintable() or _BLANK.search(shown):
        shown = "".join(_visible(char) for char in shown)
    return shown if limit is None else shorten(shown, limit)


def _visible(char: str) -> str:
    code = ord(char)
    if char == "\n":
        return "⏎"
    if code < 0x20:
        return chr(0x2400 + code)
    if char.isprintable() and not _BLANK.match(char):
        return char
    return " " if unicodedata.category(char) == "Zs" else f"\\u{code:04x}"


def shorten(text: str, limit: int) -> str:
    """The text in at most ``limit`` columns: its beginning and end, with ``…`` between."""
    if limit < 1 or _fitting(text, limit) == len(text):
        return text
    tail = _fitting(text[::-1], (limit - 1) // 2)
    head = _fitting(text, limit - 1 - (limit - 1) // 2)
    return text[:head] + _ELLIPSIS + text[len(text) - tail :]


def columns(text: str) -> int:
    """How many columns a terminal needs for the text; wide East Asian characters take two."""
    return len(text) if text.isascii() else sum(map(_char_columns, text))


@lru_cache(8192)
def _char_columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _fitting(text: str, limit: int) -> int:
    """How many characters from the beginning fit; what comes after them is not looked at."""
    if text.isascii():
        return min(len(text), limit)
    taken = accumulate(map(_char_columns, text))
    return next((at for at, width in enumerate(taken) if width > limit), len(text))


def csv_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula: what begins like one gets an apostrophe."""
    return f"'{plain(text)}" if _FORMULA.match(text) else plain(text)


def markdown_cell(text: str) -> str:
    """Text for a cell or line of Markdown in which no character is markup, link or HTML."""
    shown = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\g<0>", shown)


def markdown_code(text: str) -> str:
    """Text as code in a cell of Markdown: nothing in it is markup, and no bar ends the cell."""
    shown = plain(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}" if longest else f"{fence}{shown}{fence}"


def html_value(value: object) -> object:
    """What the template engine shows for a value, before it escapes the markup in it."""
    return plain(value) if type(value) is str else value


def mail_text(text: str, limit: int | None = None) -> str:
    """Text for a mail. A name that is an address becomes none that a program makes a link of."""
    return plain(_LINK.sub("[:]//", text), limit)


def mail_value(value: object) -> object:
    """What the template of a mail shows for a value, before the markup in it is escaped."""
    return mail_text(value) if type(value) is str else value


def xlsx_text(text: str) -> str:
    """Text for a sheet's cell, cut to what a cell may hold; formulas are off for the whole book."""
    return plain(text)[:_XLSX_LONGEST]


def storable(text: str) -> str:
    r"""Text that UTF-8 can hold: a lone surrogate becomes its code, like ``\udc80``."""
    return text.encode("utf-8", "backslashreplace").decode()


def perfdata_label(text: str) -> str:
    """A label of performance data, without its quotes, in which no parser sees a separator.

    What means something there (``'``, ``=``, ``|``, and ``%`` itself) is written as in an address,
    ``%27``, so that different names stay different.
    """
    return _PERFDATA.sub(lambda found: f"%{ord(found[0]):02X}", plain(text))


def piped(text: str) -> str:
    """A line of a monitoring plugin's text: the pipe would begin its numbers, so it is a bar."""
    return plain(text).replace("|", "\u00a6")


def checkmk_name(text: str) -> str:
    """The name of a service: what Checkmk would take out of one, by default, becomes ``_``."""
    return _NO_SERVICE.sub("_", plain(text))


def checkmk_text(text: str) -> str:
    r"""Text of a local check, where ``\n`` is a line break: no backslash may stay."""
    return plain(text).replace("\\", "\u2216")


def tap_text(text: str) -> str:
    r"""A description of TAP 14: a backslash and the sign that begins a directive are escaped."""
    return plain(text).replace("\\", "\\\\").replace("#", "\\#")


def xml_text(text: str) -> str:
    """Text for an element or a quoted attribute of XML 1.0."""
    shown = plain(text)
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        shown = shown.replace(char, entity)
    return shown


def github_message(text: str) -> str:
    """The message of a workflow command, which may hold line breaks."""
    lines = (plain(line) for line in text.split("\n"))
    return "%0A".join(line.replace("%", "%25") for line in lines)


def github_property(text: str) -> str:
    """A property of a workflow command, such as its title."""
    return plain(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")


def label_value(text: str) -> str:
    """A label's value in Prometheus' text format, without its quotes; what is plain stays so."""
    return plain(text).replace("\\", "\\\\").replace('"', '\\"')
