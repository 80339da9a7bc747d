"""Reading a whole pool, against ``get_all_records`` of the same classes by the vendor's package.

The server is one of ours and answers with bytes made beforehand, so that the time is the client's.
Each client is a process of its own, which tells its time, its time on a processor and the most
memory it ever held; the better of two runs counts. ``python -m tests.bench.xen 1000`` takes one
size alone.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from snapaudit.hypervisors.xen import XEN
from snapaudit.hypervisors.xen.client import sdk
from snapaudit.model.endpoint import Account, Endpoint, Tls
from tests.beds.xapi import wire
from tests.beds.xapi.server import JSON, XML, XapiBed
from tests.beds.xapi.table import NULL, Record, fresh
from tests.beds.xapi.world import GIB
from tests.canaries import POOL

SIZES = (1_000, 10_000)
ROUNDS = 2
CLASSES = ("pool", "host", "SR", "PBD", "VM", "VBD", "VDI")
_LONG = "('struct' ('uuid' 'x') ('other_config' ('struct')))" * 12
_ALLOWED = (
    "snapshot checkpoint snapshot_with_quiesce changing_dynamic_range migrate_send pool_migrate "
    "changing_VCPUs_live suspend hard_reboot hard_shutdown clean_reboot clean_shutdown pause "
    "destroy metadata_export export clone copy"
)
_BIOS = "bios-vendor bios-version system-manufacturer system-product-name system-version hp-rombios"
_PATIENCE = timedelta(minutes=20)
_CELL = "#"


@dataclass(frozen=True)
class Took:
    """Seconds by the wall and on a processor, and the most memory in bytes."""

    wall: float
    processor: float
    memory: int
    snapshots: int


# The pool -----------------------------------------------------------------------------------------


def records(name: str, snapshots: int = 1) -> list[tuple[str, Record]]:
    """One machine with its snapshots, as records of a class; ``#`` stands for its number."""
    numbers = range(snapshots)
    match name:
        case "VM":
            return [
                ("vm#", _vm("vm#", f"shot{snapshots - 1}#")),
                *((f"shot{n}#", _vm(f"shot{n}#", f"shot{n - 1}#") | _snapshot()) for n in numbers),
            ]
        case "VBD":
            return [
                ("use#", _use("vm#", "live#")),
                *((f"use{n}#", _use(f"shot{n}#", f"leaf{n}#")) for n in numbers),
            ]
        case _:
            live = _image("live#", VBDs=["OpaqueRef:use#"], sm_config={"vhd-parent": "base#"})
            return [
                ("base#", _image("base#", managed=False)),
                ("live#", live),
                *((f"leaf{n}#", _leaf(n)) for n in numbers),
            ]


def _leaf(number: int) -> Record:
    return _image(
        f"leaf{number}#", VBDs=[f"OpaqueRef:use{number}#"], sm_config={"vhd-parent": "base#"},
        is_a_snapshot=True, snapshot_of="OpaqueRef:live#", snapshot_time=_at(),
    )  # fmt: skip


def _at() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


def _vm(name: str, parent: str) -> Record:
    use = f"OpaqueRef:{name.replace('vm', 'use').replace('shot', 'use')}"
    return fresh("VM") | {
        "uuid": name, "name_label": f"machine {name}", "VBDs": [use], "last_booted_record": _LONG,
        "recommendations": _LONG[:800], "allowed_operations": _ALLOWED.split(),
        "parent": NULL if parent == "shot-1#" else f"OpaqueRef:{parent}",
        "bios_strings": dict.fromkeys(_BIOS.split(), "Xen"),
        "xenstore_data": {f"vm-data/key-{n}": "some value" for n in range(4)},
        "other_config": {"base_template_name": "Debian", "mac_seed": "x" * 36, "vgpu_pci": ""},
    }  # fmt: skip


def _snapshot() -> Record:
    return {
        "is_a_snapshot": True, "is_a_template": True, "snapshot_of": "OpaqueRef:vm#",
        "snapshot_time": _at(), "snapshot_metadata": _LONG[:400],
    }  # fmt: skip


def _use(vm: str, vdi: str) -> Record:
    return fresh("VBD") | {
        "uuid": f"use of {vdi}", "VM": f"OpaqueRef:{vm}", "VDI": f"OpaqueRef:{vdi}",
        "other_config": {"owner": ""},
    }  # fmt: skip


def _image(name: str, **more: Any) -> Record:
    return fresh("VDI") | {
        "uuid": name, "name_label": f"disk {name}", "SR": "OpaqueRef:SR", "virtual_size": 8 * GIB,
        "physical_utilisation": GIB, "location": name, **more,
    }  # fmt: skip


def can(bed: XapiBed, machines: int, snapshots: int = 1) -> None:
    """Let the server answer with a pool of that many machines, each with its snapshots."""
    sr = bed.world.default_sr
    for name in ("VM", "VBD", "VDI"):
        pairs = {f"OpaqueRef:{ref}": record for ref, record in records(name, snapshots)}
        if name == "VM":
            domains = bed.world.db.where("VM", lambda each: bool(each["is_control_domain"]))
            frame = dict(domains)
        else:
            frame = {}
        method = f"{name}.get_all_records"
        for path, written in (
            (JSON, _json(pairs, frame, machines)),
            (XML, _xml(pairs, frame, machines)),
        ):
            bed.canned[path, method] = written.replace("OpaqueRef:SR", sr).encode()


def _json(pairs: dict[str, Record], frame: dict[str, Record], machines: int) -> str:
    body = json.dumps(pairs, default=wire.written)[1:-1]
    head = json.dumps(frame, default=wire.written)[1:-1]
    rows = ",".join(filter(None, (head, ",".join(_numbered(body, machines)))))
    return f'{{"jsonrpc":"2.0","result":{{{rows}}},"id":1}}'


def _xml(pairs: dict[str, Record], frame: dict[str, Record], machines: int) -> str:
    body, head = _members(pairs), _members(frame)
    rows = "".join((head, *_numbered(body, machines)))
    whole = wire.xml({_CELL: ""}).decode()
    return whole.replace(_members({_CELL: ""}), rows)


def _members(pairs: dict[str, Any]) -> str:
    text = wire.xml({"cell": pairs}).decode()
    begin = text.index("<struct>", text.index("<name>cell</name>")) + len("<struct>\n")
    end = text.rindex("</struct>", 0, text.rindex("</struct>", 0, text.rindex("</struct>")))
    return text[begin:end]


def _numbered(text: str, machines: int) -> Iterator[str]:
    return (text.replace(_CELL, f"-{number:06}") for number in range(machines))


# The clients --------------------------------------------------------------------------------------


def ours(url: str, ca_file: str) -> int:
    """The whole collection, translation included; the number of snapshots."""
    endpoint = Endpoint(
        name="bench", kind="xen", url=url, account=Account(username="root"),
        tls=Tls(ca_file=ca_file), deadline=_PATIENCE,
    )  # fmt: skip
    found = XEN.collect(endpoint, POOL, datetime.now(UTC), lambda _: None)
    return sum(len(vm.snapshots) for vm in found.virtual_machines)


def package(url: str, ca_file: str) -> int:
    """What a script written after the package's examples does; the number of snapshots."""
    context = ssl.create_default_context(cafile=ca_file)
    session: Any = sdk().Session(url, transport=xmlrpc.client.SafeTransport(context=context))
    session.login_with_password("root", POOL, "1.0", "bench")
    read = {name: getattr(session.xenapi, name).get_all_records() for name in CLASSES}
    session.xenapi.session.logout()
    return sum(record["is_a_snapshot"] for record in read["VM"].values())


def _measured(who: str, url: str, ca_file: str) -> None:
    sdk()
    began, used = time.perf_counter(), time.process_time()
    snapshots = {"ours": ours, "package": package}[who](url, ca_file)
    wall, processor = time.perf_counter() - began, time.process_time() - used
    print(json.dumps([wall, processor, _most_memory(), snapshots]))


def _most_memory() -> int:
    """Bytes. What ``getrusage`` tells of a child counts in what its parent held."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def _client(who: str, bed: XapiBed) -> Took:
    words = [sys.executable, "-m", "tests.bench.xen", who, bed.url, str(bed.ca_file)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return Took(*json.loads(done.stdout))


# The table ----------------------------------------------------------------------------------------


def compare(machines: int) -> tuple[Took, Took]:
    """Both clients on a pool of so many machines, each with one snapshot."""
    with tempfile.TemporaryDirectory() as folder, XapiBed(Path(folder)) as bed:
        can(bed, machines)
        return _best("ours", bed), _best("package", bed)


def _best(who: str, bed: XapiBed) -> Took:
    return min((_client(who, bed) for _ in range(ROUNDS)), key=lambda took: took.wall)


def run(sizes: tuple[int, ...] = SIZES) -> None:
    """Print the table: ours, the package's own way, and how many times faster."""
    print(f"{'machines + snapshots':<22} {'':>8} {'wall':>9} {'processor':>10} {'memory':>9}")
    for machines in sizes:
        mine, theirs = compare(machines)
        assert mine.snapshots == theirs.snapshots == machines
        for name, took in (("ours", mine), ("package", theirs)):
            label = f"{machines:,} + {machines:,}" if name == "ours" else ""
            print(
                f"{label:<22} {name:>8} {took.wall:7.2f} s {took.processor:8.2f} s "
                f"{took.memory / 2**20:5.0f} MiB"
            )
        ratio, less = theirs.wall / mine.wall, theirs.memory / mine.memory
        print(f"{'':<22} {'':>8} {ratio:5.1f} times faster, {less:.1f} times smaller", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case [("ours" | "package") as who, url, ca_file]:
            _measured(who, url, ca_file)
        case numbers:
            run(tuple(map(int, numbers)) or SIZES)
