"""Pages: what all HTML pages share: the engine, the style, the small script, the strict policy."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from snapaudit.report import phrases
from snapaudit.report.accepted import left, selected
from snapaudit.report.escape import html_value, mail_text, mail_value
from snapaudit.report.limbs import LANE
from snapaudit.report.rows import subject_name, subject_place

_TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, **values: Any) -> bytes:
    """The filled template in UTF-8. All foreign text in it is made harmless, then escaped."""
    return _engine().get_template(template).render(**values).encode()


def mail_page(template: str, **values: Any) -> str:
    """As `page`, for programs that know neither style sheets nor scripts."""
    return _mail_engine().get_template(template).render(**values)


@cache
def _mail_engine() -> Environment:
    return _engine().overlay(finalize=mail_value)


@cache
def _engine() -> Environment:
    engine = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=html_value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style, script = _text("style.css"), _text("tables.js")
    engine.globals |= {
        "style": Markup(style),  # noqa: S704 # our own file
        "script": Markup(script),  # noqa: S704 # our own file
        "policy": _policy(style, script),
        "lane_width": LANE,
    }
    engine.filters |= {
        "age": phrases.age,
        "byte_range": phrases.byte_range,
        "bytes": phrases.size,
        "count": phrases.count,
        "days_old": phrases.days_old,
        "fitted": mail_text,
        "evidences": phrases.evidences,
        "moment": phrases.moment,
        "share": phrases.share,
        "left": left,
        "selected": selected,
        "subject_name": subject_name,
        "subject_place": subject_place,
        "words": phrases.words,
    }
    return engine


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing may be loaded, sent or run but this very style and this very script."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
