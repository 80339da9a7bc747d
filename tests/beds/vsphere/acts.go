package main

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const removing = "VirtualMachine.State.RemoveSnapshot"

// RemoveSnapshotTask removes one snapshot and merges its deltas. Its children move up.
func (s *snapshot) RemoveSnapshotTask(
	ctx *simulator.Context, req *types.RemoveSnapshot_Task,
) soap.HasFault {
	body := &methods.RemoveSnapshot_TaskBody{}
	m, err := names.find(s.Vm.Value)
	if err != nil {
		body.Fault_ = missing(s.Vm)
		return body
	}
	act := act{
		method: "RemoveSnapshot_Task", description: "vim.vm.Snapshot.remove", machine: m, ctx: ctx,
		work: func(half bool) types.AnyType {
			m.remove(s.Self, req.RemoveChildren, half || req.Consolidate != nil && !*req.Consolidate)
			return nil
		},
	}
	var task types.ManagedObjectReference
	m.locked(func() { task, body.Fault_ = act.begin() })
	if body.Fault_ == nil {
		body.Res = &types.RemoveSnapshot_TaskResponse{Returnval: task}
	}
	return body
}

// RevertToSnapshotTask throws away what was written since; nothing of ours may ever call it.
func (s *snapshot) RevertToSnapshotTask(
	ctx *simulator.Context, req *types.RevertToSnapshot_Task,
) soap.HasFault {
	body := &methods.RevertToSnapshot_TaskBody{}
	m, err := names.find(s.Vm.Value)
	if err != nil {
		body.Fault_ = missing(s.Vm)
		return body
	}
	act := act{
		method: "RevertToSnapshot_Task", description: "vim.vm.Snapshot.revert", machine: m, ctx: ctx,
		work: func(bool) types.AnyType { m.revert(s.Self); return nil },
	}
	var task types.ManagedObjectReference
	m.locked(func() { task, body.Fault_ = act.begin() })
	if body.Fault_ == nil {
		body.Res = &types.RevertToSnapshot_TaskResponse{Returnval: task}
	}
	return body
}

// CreateSnapshotTask takes a snapshot with deltas.
func (m *machine) CreateSnapshotTask(
	ctx *simulator.Context, req *types.CreateSnapshot_Task,
) soap.HasFault {
	body := &methods.CreateSnapshot_TaskBody{}
	how := taking{Name: req.Name, Description: req.Description, At: now(), Quiesced: req.Quiesce}
	if req.Memory && m.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn {
		how.Memory = int64(m.Config.Hardware.MemoryMB) << 20
	}
	act := act{
		method: "CreateSnapshot_Task", description: "VirtualMachine.createSnapshot",
		machine: m, ctx: ctx,
		work: func(bool) types.AnyType { return m.take(how) },
	}
	task, fault := act.begin()
	if body.Fault_ = fault; fault == nil {
		body.Res = &types.CreateSnapshot_TaskResponse{Returnval: task}
	}
	return body
}

// RemoveAllSnapshotsTask removes the whole tree; nothing of ours may ever call it.
func (m *machine) RemoveAllSnapshotsTask(
	ctx *simulator.Context, req *types.RemoveAllSnapshots_Task,
) soap.HasFault {
	body := &methods.RemoveAllSnapshots_TaskBody{}
	act := act{
		method: "RemoveAllSnapshots_Task", description: "VirtualMachine.removeAllSnapshots",
		machine: m, ctx: ctx,
		work: func(half bool) types.AnyType {
			for _, one := range m.nodes() {
				m.remove(one.Snapshot, false, half)
			}
			return nil
		},
	}
	task, fault := act.begin()
	if body.Fault_ = fault; fault == nil {
		body.Res = &types.RemoveAllSnapshots_TaskResponse{Returnval: task}
	}
	return body
}

// ConsolidateVMDisksTask merges the deltas that no snapshot needs.
func (m *machine) ConsolidateVMDisksTask(
	ctx *simulator.Context, req *types.ConsolidateVMDisks_Task,
) soap.HasFault {
	body := &methods.ConsolidateVMDisks_TaskBody{}
	act := act{
		method: "ConsolidateVMDisks_Task", description: "VirtualMachine.consolidateDisks",
		machine: m, ctx: ctx,
		work: func(half bool) types.AnyType {
			if !half {
				m.settle()
			}
			return nil
		},
	}
	task, fault := act.begin()
	if body.Fault_ = fault; fault == nil {
		body.Res = &types.ConsolidateVMDisks_TaskResponse{Returnval: task}
	}
	return body
}

// EstimateStorageForConsolidateSnapshotsTask tells what consolidating may take, a datastore a time.
func (m *machine) EstimateStorageForConsolidateSnapshotsTask(
	ctx *simulator.Context, req *types.EstimateStorageForConsolidateSnapshots_Task,
) soap.HasFault {
	body := &methods.EstimateStorageForConsolidateSnapshots_TaskBody{}
	act := act{
		method:      "EstimateStorageForConsolidateSnapshots_Task",
		description: "VirtualMachine.estimateStorageRequirement", machine: m, ctx: ctx,
		work: func(bool) types.AnyType { return m.estimate() }, reads: true,
	}
	task, fault := act.begin()
	if body.Fault_ = fault; fault == nil {
		body.Res = &types.EstimateStorageForConsolidateSnapshots_TaskResponse{Returnval: task}
	}
	return body
}

// RefreshStorageInfo has nothing to do but to say when: sizes are always what they are.
func (m *machine) RefreshStorageInfo(
	ctx *simulator.Context, req *types.RefreshStorageInfo,
) soap.HasFault {
	m.put(copied(m.LayoutEx))
	return &methods.RefreshStorageInfoBody{Res: &types.RefreshStorageInfoResponse{}}
}

// remove is what a removal does, with the machine locked; half of it leaves the deltas behind.
func (m *machine) remove(ref types.ManagedObjectReference, children, half bool) {
	gone := []types.ManagedObjectReference{ref}
	if children {
		gone = append(gone, m.below(ref)...)
	}
	for _, one := range gone {
		m.forget(one)
		m.unlay(one)
	}
	if half {
		m.Runtime.ConsolidationNeeded = types.NewBool(true)
		return
	}
	m.settle()
}

// below are all snapshots under one.
func (m *machine) below(ref types.ManagedObjectReference) []types.ManagedObjectReference {
	var found []types.ManagedObjectReference
	inside := map[types.ManagedObjectReference]bool{ref: true}
	for _, one := range m.nodes() {
		for _, child := range one.ChildSnapshotList {
			if inside[one.Snapshot] {
				inside[child.Snapshot] = true
				found = append(found, child.Snapshot)
			}
		}
	}
	return found
}

func (m *machine) estimate() types.AnyType {
	bytes := map[types.ManagedObjectReference]int64{}
	for _, disk := range m.LayoutEx.Disk {
		for i, one := range disk.Chain {
			if i > 0 {
				file := extent(m.LayoutEx, one)
				bytes[m.storeOf(file.Name).Self] += file.Size
			}
		}
	}
	answer := types.ArrayOfStorageRequirement{}
	for store, needed := range bytes {
		answer.StorageRequirement = append(answer.StorageRequirement, types.StorageRequirement{
			Datastore: store, FreeSpaceRequiredInKb: (needed + 1023) / 1024,
		})
	}
	return answer
}
