"""Random machines, as servers write them, and as they could."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from snapaudit.hypervisors.vsphere.raw import (
    RawChain,
    RawDisk,
    RawFile,
    RawFork,
    RawLayout,
    RawManagedBy,
    RawSnapshot,
    RawSnapshotLayout,
    RawTree,
)
from tests.hypervisors.vsphere.soap.machines import devices, field, layout, tree
from tests.hypervisors.vsphere.soapwords import prop, text

STYLES = ("vcenter", "simulator")

# What XML can carry; a carriage return would come back as a line feed.
_WORDS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
    ),
    max_size=12,
)
_NAMES = _WORDS.filter(bool)
_COUNTS = st.integers(-1, 2**53)
_FLAGS = st.none() | st.booleans()
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)
_MOMENTS = st.none() | st.timedeltas(timedelta(0), timedelta(days=40_000)).map(_FIRST.__add__)
_KEYS = st.integers(0, 30)
_CHAINS = st.lists(
    st.builds(
        RawChain,
        st.integers(2000, 2010),
        st.lists(st.lists(_KEYS, max_size=3).map(tuple), max_size=3).map(tuple),
    ),
    max_size=2,
).map(tuple)
_FILES = st.builds(
    RawFile, _KEYS, _NAMES, st.sampled_from(["diskExtent", "snapshotData"]), _COUNTS,
    st.none() | _COUNTS, st.none() | _NAMES, _FLAGS,
)  # fmt: skip
LAYOUTS = st.builds(
    RawLayout,
    st.lists(_FILES, max_size=4, unique_by=lambda f: f.key).map(lambda fs: {f.key: f for f in fs}),
    _CHAINS,
    st.lists(
        st.builds(RawSnapshotLayout, st.just("snapshot-7"), _KEYS, st.integers(-1, 30), _CHAINS),
        max_size=2,
    ).map(tuple),
    _MOMENTS,
)
DISKS = st.lists(
    st.builds(
        RawDisk,
        key=st.integers(2000, 2010),
        label=_WORDS,
        capacity=st.none() | st.integers(0, 2**40).map(lambda n: n * 1024),
        backing=st.sampled_from(
            ["VirtualDiskFlatVer2BackingInfo", "VirtualDiskSeSparseBackingInfo"]
        ),
        file=_NAMES,
        datastore=st.none() | st.just("datastore-1"),
        mode=st.none() | st.just("persistent"),
        parents=st.lists(_NAMES, max_size=3).map(tuple),
        thin=_FLAGS,
        rdm=st.none() | st.just("physicalMode"),
        sharing=st.none() | st.just("sharingNone"),
    ),
    max_size=3,
).map(tuple)


@st.composite
def trees(draw: st.DrawFn) -> RawTree:
    """Snapshots in document order; each hangs below one of the line that leads to the last."""
    found: list[RawSnapshot] = []
    line: list[str] = []
    for number in range(draw(st.integers(0, 5))):
        line = line[: draw(st.integers(0, len(line)))]
        moid = f"snapshot-{number}"
        found.append(
            RawSnapshot(
                moid,
                number,
                draw(_WORDS),
                draw(_WORDS),
                draw(_MOMENTS),
                "poweredOff",
                draw(_FLAGS),
                line[-1] if line else None,
                draw(st.none() | _NAMES),
            )
        )
        line.append(moid)
    current = draw(st.none() | st.just("snapshot-0"))
    return RawTree(current, tuple(found))


@st.composite
def machines(draw: st.DrawFn) -> tuple[dict[str, object], str]:
    """A machine's values, and how a server writes them."""
    style = draw(st.sampled_from(STYLES))
    name, note, template = draw(_WORDS), draw(_WORDS), draw(st.booleans())
    methods = draw(st.lists(_NAMES, max_size=2).map(tuple))
    fields = draw(st.lists(st.tuples(st.integers(0, 9), _WORDS), max_size=2).map(tuple))
    snapshots, files, disks = draw(trees()), draw(LAYOUTS), draw(DISKS)
    product = draw(st.builds(RawManagedBy, _NAMES, _NAMES))
    fork = draw(st.builds(RawFork, _FLAGS, st.none() | _NAMES, st.none() | _NAMES, st.none()))
    values: dict[str, object] = {
        "name": name, "config.annotation": note, "config.template": template,
        "runtime.host": "host-1", "disabledMethod": methods, "customValue": fields,
        "snapshot": snapshots, "layoutEx": files, "config.hardware.device": disks,
        "config.managedBy": product, "config.forkConfigInfo": fork,
    }  # fmt: skip
    written = [
        text("name", name, style),
        text("config.annotation", note, style),
        prop("config.template", "xsd:boolean", str(template).lower(), style),
        prop("runtime.host", "ManagedObjectReference", "host-1", style, ' type="HostSystem"'),
        prop("disabledMethod", "ArrayOfString", "".join(map(_string, methods)), style),
        prop("customValue", "ArrayOfCustomFieldValue", "".join(map(_custom, fields)), style),
        tree(snapshots, style),
        layout(files, style),
        devices(disks, style, draw(st.integers(0, 2))),
        prop("config.managedBy", "ManagedByInfo",
             field("extensionKey", product.extension_key) + field("type", product.type), style),
        prop("config.forkConfigInfo", "VirtualMachineForkConfigInfo",
             field("parentEnabled", fork.parent_enabled)
             + field("childForkGroupId", fork.child_group)
             + field("parentForkGroupId", fork.parent_group), style),
    ]  # fmt: skip
    return values, "".join(draw(st.permutations(written)))


def _string(words: str) -> str:
    return field("string", words)


def _custom(one: tuple[int, str]) -> str:
    inside = f"<key>{one[0]}</key>{field('value', one[1])}"
    return f'<CustomFieldValue xsi:type="CustomFieldStringValue">{inside}</CustomFieldValue>'


_INTO = (
    "\n  ", "\t", "<!-- <file> -->", "<!-- VirtualDisk -->", "<![CDATA[]]>", "<?php x?>",
    "<novel>1</novel>", "<novel></novel>", "<novel/>", "<novel><key>1</key></novel>",
    "<novel><a><snapshot>s</snapshot></a><fileName>f</fileName></novel>", "<k>1</k>",
)  # fmt: skip
_TAG = re.compile(r"<[^>]*>")
# Where an element ends and no text stands, or one begins.
_GAP = re.compile(r"(?<=>)(?=<\w)|(?<=</val>)(?=<)|(?<=</key>)(?=<)|(?<=</chain>)(?=<)")
_ELEMENT = re.compile(r"<(\w+)[^>]*>[^<]*</\1>")


@st.composite
def variation(draw: st.DrawFn, written: str) -> str:
    """What the API allows or a release may bring, where the servers known do not write it so."""
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.sampled_from(list(_GAP.finditer(written)))).start()
        tag = draw(st.sampled_from(list(_TAG.finditer(written))))
        element = draw(st.sampled_from(list(_ELEMENT.finditer(written)) or [tag]))
        match draw(st.integers(0, 4)):
            case 0 | 1:
                written = written[:at] + draw(st.sampled_from(_INTO)) + written[at:]
            case 2:
                written = written[: element.start()] + written[element.end() :]
            case 3:
                spelled = tag[0].replace('"', "'")
                written = written[: tag.start()] + spelled + written[tag.end() :]
            case _:
                inside = element.start() + element[0].index(">") + 1
                written = written[:inside] + "<![CDATA[<x>]]>&#66;" + written[inside:]
    return written
