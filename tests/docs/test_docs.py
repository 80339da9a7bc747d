"""The documentation says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from snapaudit.cli.commands import application
from snapaudit.hypervisors.libvirt import LIBVIRT, protections
from snapaudit.report.formats import AUDIT_FORMATS
from snapaudit.rules.loader import load_policy

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LIBVIRT_PAGE = (ROOT / "docs/hypervisors/libvirt.md").read_text(encoding="utf-8")


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_command_in_the_readme_exists() -> None:
    tree = application()
    known = {command.name for command in tree.registered_commands} | {
        group.name for group in tree.registered_groups
    }
    named = set(re.findall(r"snapaudit ([a-z]+)\b", README))
    assert named
    assert named <= known | {"is", "shows", "asks", "as"}


def test_readme_names_every_format() -> None:
    listed = re.search(r"-f ([a-z|]+)`", README)
    assert listed is not None
    assert set(listed[1].split("|")) == set(AUDIT_FORMATS)


def test_every_protection_has_its_line_in_the_page_of_libvirt() -> None:
    folder = Path(protections.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    words = set(re.findall(r'(?:yield |_PROTECTION = )f?"([a-z-]+): ', source)) | {"busy"}
    documented = set(re.findall(r"`([a-z-]+)`", LIBVIRT_PAGE.split("## What protects")[1]))
    assert words
    assert words <= documented


def test_every_option_of_a_libvirt_endpoint_is_documented() -> None:
    for option in LIBVIRT.options:
        assert f"`{option}" in LIBVIRT_PAGE


def test_every_rule_says_why_and_what_to_do() -> None:
    policy = load_policy((), disable={}, levels={}, environments=())
    for rule in policy.rules:
        assert len(rule.why) > 20, rule.id
        assert rule.fix.endswith("."), rule.id
