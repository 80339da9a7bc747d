"""Every credential of the suite, in one place: each is unique, and known wherever it turns up.

All begin with one mark, so that a search needs to look for no more than that. What follows it names
the credential, and holds what needs care in a URL, a page, a header or a shell.
"""

from __future__ import annotations

MARK = "c4n4ryQ7xk9"
CREDENTIALS: dict[str, str] = {}
"""By the name under which a finding is told."""


def _credential(name: str, tail: str = "") -> str:
    assert name not in CREDENTIALS
    CREDENTIALS[name] = f"{MARK}-{name}{tail}"
    return CREDENTIALS[name]


# Passwords that servers of the tests take.
VCENTER = _credential("vcenter")
PLAIN_VCENTER = _credential("plain-vcenter")
VCENTER_TAGS = _credential("vcenter-tags", "päss:word")
SOAP = _credential("soap")
WINDOWS = _credential("windows", " of 1 host")
POOL = _credential("pool", "/?&=<ä>")
POOL_READER = _credential("pool-reader", "'\"x")
POOL_CLEANER = _credential("pool-cleaner", "\\%41")
SMTP = _credential("smtp")
DATABASE = _credential("database", "@:/?#")

# Passwords that come from somewhere and are given to nobody, or to a driver that asks for none.
LIBVIRT = _credential("libvirt", "-Yx!9 /?&=<pässword>")
ACTING = _credential("acting")
FETCHED = _credential("fetched")
TYPED = _credential("typed")
BROKEN = _credential("broken-configuration")

# Passwords that are refused: what somebody typed in vain may well be right elsewhere.
REFUSED = _credential("refused")
REFUSED_TOO = _credential("refused-too")

# What servers hand out at a login, good for as long as a session is.
POOL_SESSION = _credential("pool-session")
SOAP_SESSION = _credential("soap-session")
TAGS_SESSION = _credential("tags-session")
VCENTER_SESSION = _credential("vcenter-session")
