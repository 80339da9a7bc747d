"""Configurations as a test writes them; ``▶`` stands before the place that is wrong."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from snapaudit.config.loader import load
from snapaudit.config.settings import Settings
from snapaudit.errors import InputError

MARK = "▶"
OPTIONS_OF = {
    "vsphere": (),
    "libvirt": ("refresh_pools", "images"),
    "hyperv": (),
    "xen": (),
}


def settings(folder: Path, text: str) -> Settings:
    path = folder / "snapaudit.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load(path, options_of=OPTIONS_OF)


def fault(folder: Path, marked: str) -> str:
    """What is said about the configuration, without the place, which has to be the mark's."""
    text = dedent(marked)
    before = text[: text.index(MARK)]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    with pytest.raises(InputError) as caught:
        settings(folder, text.replace(MARK, ""))
    place = f"{folder / 'snapaudit.yaml'}:{line}:{column}: "
    assert str(caught.value).startswith(place), f"{caught.value} is not at {line}:{column}"
    return str(caught.value).removeprefix(place)


def endpoint_fault(folder: Path, marked: str) -> str:
    """As ``fault``, of further keys in a vSphere endpoint that is sound without them."""
    needed = "name: vc, kind: vsphere, url: 'https://vc.example.org'"
    return fault(folder, f"version: 1\nendpoints:\n  - {{{needed}, {marked}}}\n")
