"""The same records by way of pyVmomi's property collector and decoder: slow, and not our own.

Nothing but tests and benchmarks reads this way. What the readers in `soap` make of an answer is
held against what comes out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pyVmomi import VmomiSupport, vim, vmodl

from snapaudit.hypervisors.vsphere.bulk import class_of
from snapaudit.hypervisors.vsphere.faults import soap_fault
from snapaudit.hypervisors.vsphere.raw import (
    NO_FILE,
    RawChain,
    RawDisk,
    RawFile,
    RawFork,
    RawLayout,
    RawManagedBy,
    RawObject,
    RawSnapshot,
    RawSnapshotLayout,
    RawTree,
)
from snapaudit.hypervisors.vsphere.session import Session


def everything(
    session: Session, wanted: Mapping[str, Sequence[str]], page: int = 500
) -> Iterator[RawObject]:
    """What `Bulk.everything` gives, from a server that knows all the paths."""
    yield from map(record, contents(session, wanted, page))


def contents(session: Session, wanted: Mapping[str, Sequence[str]], page: int) -> Iterator[Any]:
    """PyVmomi's ObjectContent of everything in one view, page by page."""
    content, query = session.content, vmodl.query.PropertyCollector
    kinds = [class_of(kind) for kind in wanted]
    view = content.viewManager.CreateContainerView(content.rootFolder, kinds, True)
    try:
        inside = query.TraversalSpec(type=vim.view.ContainerView, path="view", skip=False)
        spec = query.FilterSpec(
            objectSet=[query.ObjectSpec(obj=view, skip=True, selectSet=[inside])],
            propSet=[
                query.PropertySpec(type=class_of(kind), all=False, pathSet=list(paths))
                for kind, paths in wanted.items()
            ],
        )
        collector = content.propertyCollector
        found = collector.RetrievePropertiesEx([spec], query.RetrieveOptions(maxObjects=page))
        while found is not None:
            yield from found.objects
            token = found.token
            found = collector.ContinueRetrievePropertiesEx(token) if token else None
    finally:
        view.DestroyView()


def record(content: Any) -> RawObject:
    """From an ObjectContent."""
    return RawObject(
        kind=str(type(content.obj)._wsdlName),
        moid=str(content.obj._moId),
        values={str(each.name): value(each.val) for each in content.propSet},
        missing={str(each.path): _missing(each.fault) for each in content.missingSet or ()},
    )


def _missing(fault: Any) -> str:
    found = soap_fault(fault)
    is_about = found.name == "NoPermission" and found.about
    return f"{found.name}: {found.about}" if is_about else found.name


def value(found: Any) -> object:
    """Any value that is asked for, as the record that stands for it."""
    match found:
        case bool():
            return found
        case int():
            return int(found)
        case datetime():
            return found.astimezone(UTC)
        case VmomiSupport.ManagedObject():
            return str(found._moId)
        case list():
            return _array(found)
        case VmomiSupport.DataObject():
            return _record(found)
        case _:
            return str(found)


def _array(found: Any) -> tuple[object, ...]:
    if issubclass(type(found).Item, vim.vm.device.VirtualDevice):
        disks = vim.vm.device.VirtualDisk
        return tuple(disk(one) for one in found if type(one) is disks)
    return tuple(map(value, found))


def _record(found: Any) -> object:
    match found:
        case vim.vm.SnapshotInfo():
            return tree(found)
        case vim.vm.FileLayoutEx():
            return layout(found)
        case vim.ext.ManagedByInfo():
            return RawManagedBy(found.extensionKey, found.type)
        case vim.vm.ForkConfigInfo():
            parent, child = found.parentForkGroupId, found.childForkGroupId
            return RawFork(found.parentEnabled, parent, child, found.childType)
        case vim.CustomFieldsManager.StringValue():
            return int(found.key), str(found.value)
        case vim.CustomFieldsManager.FieldDef():
            return int(found.key), str(found.name)
        case vim.Datastore.HostMount():
            return str(found.key._moId)
        case _:
            return str(type(found)._wsdlName)


def tree(found: Any) -> RawTree:
    """From a vim.vm.SnapshotInfo."""
    current = found.currentSnapshot
    nodes = tuple(_nodes(found.rootSnapshotList, None))
    return RawTree(str(current._moId) if current else None, nodes)


def _nodes(found: Any, parent: str | None) -> Iterator[RawSnapshot]:
    for one in found:
        moid = str(one.snapshot._moId)
        yield RawSnapshot(
            moid=moid,
            id=int(one.id),
            name=str(one.name),
            description=str(one.description),
            created_at=one.createTime.astimezone(UTC),
            state=str(one.state),
            quiesced=one.quiesced,
            parent=parent,
            backup_manifest=one.backupManifest,
        )
        yield from _nodes(one.childSnapshotList, moid)


def layout(found: Any) -> RawLayout:
    """From a vim.vm.FileLayoutEx."""
    return RawLayout(
        files={int(one.key): _file(one) for one in found.file},
        disks=_chains(found.disk),
        snapshots=tuple(
            RawSnapshotLayout(
                moid=str(one.key._moId),
                data_key=int(one.dataKey),
                memory_key=NO_FILE if one.memoryKey is None else int(one.memoryKey),
                disks=_chains(one.disk),
            )
            for one in found.snapshot
        ),
        at=found.timestamp.astimezone(UTC) if found.timestamp else None,
    )


def _file(one: Any) -> RawFile:
    return RawFile(
        key=int(one.key),
        name=str(one.name),
        type=str(one.type),
        size=int(one.size),
        unique_size=None if one.uniqueSize is None else int(one.uniqueSize),
        backing_object_id=one.backingObjectId,
        is_accessible=one.accessible,
    )


def _chains(found: Any) -> tuple[RawChain, ...]:
    return tuple(
        RawChain(int(one.key), tuple(tuple(map(int, unit.fileKey)) for unit in one.chain))
        for one in found
    )


def disk(one: Any) -> RawDisk:
    """From a vim.vm.device.VirtualDisk."""
    backing = one.backing
    exact = one.capacityInBytes

    def field(name: str) -> Any:
        return getattr(backing, name, None)

    store = field("datastore")
    return RawDisk(
        key=int(one.key),
        label=str(one.deviceInfo.label) if one.deviceInfo else "",
        capacity=int(exact) if exact else int(one.capacityInKB) * 1024,
        backing=str(type(backing)._wsdlName) if backing else "",
        file=field("fileName"),
        datastore=str(store._moId) if store else None,
        mode=field("diskMode"),
        parents=tuple(_parents(field("parent"))),
        thin=field("thinProvisioned"),
        rdm=field("compatibilityMode"),
        sharing=field("sharing"),
    )


def _parents(backing: Any) -> Iterator[str]:
    while backing is not None:
        yield str(backing.fileName)
        backing = backing.parent
