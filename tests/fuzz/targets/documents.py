"""Documents from elsewhere: inventories as JSON, packed, and as an export of RVTools."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime

import openpyxl

from snapaudit.codec.documents import inventories_document, read_inventories
from snapaudit.errors import SnapauditError
from snapaudit.report.formats import AUDIT_FORMATS
from snapaudit.rules.engine import audit
from tests.builders import NOW, datastore, inventory, snapshot, stray, vm
from tests.fuzz.target import Form, Target, Wrong
from tests.fuzz.targets import scratch
from tests.fuzz.targets.outcome import goes_through, policy

_BETWEEN = b"\n-- next part --\n"
_SAVED = re.compile(rb"[^>]*</dcterms:modified>")
_PLACE = {"Cluster": "Berlin", "Host": "esx-1", "VI SDK Server": "vc", "VI SDK UUID": "u-1"}
_SHEETS: dict[str, dict[str, object]] = {
    "vInfo": {
        "VM": "web01", "Powerstate": "poweredOn", "Template": False, "VM ID": "vm-7",
        "Consolidation Needed": "True", "Annotation": "Owner: Web", **_PLACE,
    },
    "vSnapshot": {
        "VM": "web01", "Name": "before", "Description": "CHG-1", "Size MiB (total)": 2048.5,
        "Date / time": datetime.fromisoformat("2026-05-01T08:30:00"), "Quiesced": False,
        "State": "poweredOff", "VM ID": "vm-7", **_PLACE,
    },
    "vDatastore": {
        "Name": "ssd", "Object ID": "datastore-9", "Type": "VMFS", "Capacity MiB": 1048576.0,
        "Free MiB": "524288", "Provisioned MiB": 900, "Accessible": "True", **_PLACE,
    },
}  # fmt: skip


def _inventory(name: str, data: bytes) -> None:
    for one in read_inventories(scratch.file(name, data)):
        goes_through(one)


def _documents() -> Iterator[bytes]:
    one = inventory(
        vm("web01", snapshot(age="20d"), snapshot("later", parent_id="before-upgrade")),
        vm("db01", tags=("prod",), notes="Owner: ada"),
        datastores=(datastore(),),
        strays=(stray(),),
    )
    yield inventories_document([one], compress=False)
    yield inventories_document([one, inventory(endpoint="other")], compress=False)


def _reported(data: bytes) -> None:
    """Whatever was read without complaint is told in every format."""
    found = audit(read_inventories(scratch.file("inventory.json", data)), policy(), NOW)
    try:
        for render in AUDIT_FORMATS.values():
            render(found, 100, True)
    except SnapauditError as error:
        raise Wrong(f"an inventory that was read cannot be told: {error}") from error


def _packed() -> Iterable[bytes]:
    return (gzip.compress(one, mtime=0) for one in _documents())


def _export(data: bytes) -> None:
    """The parts of a workbook stand behind each other, so that they are changed and still packed.

    What does not hold such parts is a file as it is.
    """
    names_and_bodies = data.split(_BETWEEN)
    body = _zipped(names_and_bodies) if len(names_and_bodies) > 2 else data
    _inventory("export.xlsx", body)


def _zipped(parts: list[bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in zip(parts[::2], parts[1::2], strict=False):
            known = zipfile.ZipInfo(name.decode("utf-8", "replace")[:200] or "x")
            known.compress_type = zipfile.ZIP_DEFLATED
            if known.filename not in archive.namelist():
                archive.writestr(known, body)
    return out.getvalue()


def _exports() -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(_workbook())) as archive:
        bodies = {name: archive.read(name) for name in archive.namelist()}
    # The library writes down when it saved the file; examples are the same each time.
    core = _SAVED.sub(b"2026-05-31T07:00:00Z</dcterms:modified>", bodies["docProps/core.xml"])
    bodies["docProps/core.xml"] = core
    parts = [piece for name, body in bodies.items() for piece in (name.encode(), body)]
    yield _BETWEEN.join(parts)
    yield _zipped(parts)


def _workbook() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.remove(book["Sheet"])
    book.properties.created = datetime.fromisoformat("2026-05-31T07:00:00")
    for name, row in _SHEETS.items():
        sheet = book.create_sheet(name)
        sheet.append(list(row))
        sheet.append(list(row.values()))
    book.save(out)
    return out.getvalue()


TARGETS = (
    Target(
        name="inventory",
        group="documents",
        run=lambda data: _inventory("inventory.json", data),
        examples=_documents,
        form=Form.JSON,
    ),
    Target(
        name="inventory-told",
        group="documents",
        run=_reported,
        examples=_documents,
        form=Form.JSON,
        largest=16 * 1024,
    ),
    Target(
        name="inventory-packed",
        group="documents",
        run=lambda data: _inventory("inventory.json.gz", data),
        examples=_packed,
    ),
    Target(name="rvtools", group="documents", run=_export, examples=_exports, form=Form.XML),
)
