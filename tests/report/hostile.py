"""Names as an attacker, a foreign keyboard or a broken record would give them."""

from __future__ import annotations

from collections.abc import Iterator

_FORMULA = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "=cmd|' /C calc'!A0",
            '=HYPERLINK("http://x.example","a")', "\uff1d1+1")  # fmt: skip
_MARKUP = ("[/x]", "[red]", "weekly [/old]", "[link=http://x.example]a[/link]", ":smile:", "[[", "]]>",
           "</script>", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!--", "-->",
           "&lt;b&gt;", "&#x41;", "<b", "\"><svg onload=alert(1)>", "{{ 7*7 }}", "{% raw %}", "${7*7}",
           "<style>*{display:none}</style>", "</td></tr></table>", "<![CDATA[x]]>", "<br>", "%3Cb%3E",
           "_x0041_", "_x000D_", "javascript:alert(1)")  # fmt: skip
_MARKDOWN = ("|", "a|b", "\\|", "`a`", "``", "a`b", "**a**", "_a_", "~~a~~", "[a](http://x.example)",
             "![a](http://x.example/a.png)", "<http://x.example>", "http://x.example",
             "www.example.org", "# a", "- a", "1. a", "> a", "---", "$a$", "[^1]", "\\", "a\\",
             "| a | b |\n| --- | --- |", "@somebody", "#12")  # fmt: skip
_TERMINAL = ("\x1b[31mred", "\x1b[2J", "\x1b]0;title\x07", "\x1b]8;;http://x.example\x1b\\a", "\x1b",
             "\x9b31m", "\x9d0;title\x9c", "\x90q\x9c", "\x1bP1$q\x1b\\", "\x1b[6n", "\x1bc", "\x07\x07",
             "a\x08\x08b", "\x7f", "\x0e\x0f", "a\x0bb", "a\x0cb", "\x85", "\x84\x8d")  # fmt: skip
_UNSEEN = ("\u202egpj.exe", "\u2066a\u2069", "a\u200bb", "\u200d", "\u200e", "\u200f", "\u061c",
           "\ufeff", "\u2060", "\u00ad", "\u180e", "\u3164", "\u115f", "\u2800", "\u034f", "\ufe0f",
           "\U000e0041", "\U000e0101", "\u2028", "\u2029", "\u00a0", "\u3000", "\ufffe", "\ue000",
           "\ufff9a\ufffbb", "\U0010ffff", "\u206a")  # fmt: skip
_LINES = ("a\nb", "a\r\nb", "\n", "\n\n\n", "a\n=1", "a\tb", "\t", " ", "   ", "", " a ", "a\n# b")
_QUOTES = ("'", '"', '""', "'a'", 'a","b', "a;b", "a,b", "a';--", "a\\'b", "`'\"", "\u201ca\u201d")
_SCRIPTS = ("テスト用バックアップ", "快照测试", "تجربة", "ניסיון", "ทดสอบ", "e\u0301", "Z\u0351\u036b\u0343",
            "👩\u200d👩\u200d👧", "👍🏽", "🇩🇪", "⚠\ufe0f", "ﬁ", "İ", "ß", "\U0001d54f", "한국어", "नमस्ते")  # fmt: skip
_BROKEN = ("\udc80", "a\ud800b", "\udfff\ud800", "\udce9t\udce9")
_LONG = ("x" * 300, "快" * 300, "a " * 150, "<" * 300, "|" * 300, "e" + "\u0301" * 299, "\n" * 300)
_NUMBERS = ("0", "-1", "1e5", "007", "NaN", "inf", "null", "true", "1,5", "2026-06-01", "12:30:45")
_PATHS = ("../../etc/passwd", "/", "C:\\a", "\\\\host\\share", "a/b", "~", "$HOME", "`id`", "$(id)", ";id",
          "--help", "-rf", "%s%n", "{0}", "nul")  # fmt: skip


def hostile_names() -> Iterator[str]:
    """Over two hundred different names, each with a reason to break some format."""
    groups = (
        _FORMULA, _MARKUP, _MARKDOWN, _TERMINAL, _UNSEEN, _LINES, _QUOTES, _SCRIPTS, _BROKEN, _LONG,
        _NUMBERS, _PATHS, tuple(_each_control()),
    )  # fmt: skip
    return iter(dict.fromkeys(name for group in groups for name in group))


def _each_control() -> Iterator[str]:
    for code in (*range(1, 0x20), *range(0x7F, 0xA0)):
        yield f"a{chr(code)}b"
