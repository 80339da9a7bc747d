package main

import (
	"fmt"
	"path"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// snapshot is one of a machine of ours.
type snapshot struct {
	simulator.VirtualMachineSnapshot
}

// node is a snapshot's place in the tree.
type node = types.VirtualMachineSnapshotTree

// taking is how a snapshot is taken.
type taking struct {
	Name, Description, State string
	At                       time.Time
	Quiesced                 bool
	Memory                   int64 // bytes; 0: without memory
	Written                  int64 // bytes written to each disk since then
	Data                     int64 // bytes of the machine's settings
}

func now() time.Time { return time.Now().UTC() }

func adoptSnapshot(m *machine, ref types.ManagedObjectReference) *snapshot {
	s := &snapshot{}
	s.Self, s.Vm, s.Config = ref, m.Self, *m.Config
	s.Self.Type = "VirtualMachineSnapshot" // without a value, it gets one now
	simulator.Map.Put(s)
	return s
}

// take is called with the machine locked.
func (m *machine) take(how taking) types.ManagedObjectReference {
	s := adoptSnapshot(m, types.ManagedObjectReference{})
	m.lastID++
	fresh := node{
		Snapshot: s.Self, Vm: m.Self, Name: how.Name, Description: how.Description, Id: m.lastID,
		CreateTime: how.At, State: m.Runtime.PowerState, Quiesced: how.Quiesced,
		ReplaySupported: types.NewBool(false),
	}
	if how.Memory == 0 {
		fresh.State = types.VirtualMachinePowerStatePoweredOff
	}
	if how.State != "" {
		fresh.State = types.VirtualMachinePowerState(how.State)
	}
	m.hang(fresh)
	m.lay(s.Self, how)
	return s.Self
}

// hang puts a snapshot under the current one and makes it the current one.
func (m *machine) hang(fresh node) {
	info := &types.VirtualMachineSnapshotInfo{CurrentSnapshot: &fresh.Snapshot}
	if m.Snapshot == nil || m.Snapshot.CurrentSnapshot == nil {
		if m.Snapshot != nil {
			info.RootSnapshotList = append(info.RootSnapshotList, m.Snapshot.RootSnapshotList...)
		}
		info.RootSnapshotList = append(info.RootSnapshotList, fresh)
	} else {
		parent := *m.Snapshot.CurrentSnapshot
		info.RootSnapshotList = under(m.Snapshot.RootSnapshotList, parent, fresh)
	}
	m.Snapshot = info
}

func under(nodes []node, parent types.ManagedObjectReference, fresh node) []node {
	var changed []node
	for _, one := range nodes {
		if one.Snapshot == parent {
			one.ChildSnapshotList = append(append([]node(nil), one.ChildSnapshotList...), fresh)
		} else {
			one.ChildSnapshotList = under(one.ChildSnapshotList, parent, fresh)
		}
		changed = append(changed, one)
	}
	return changed
}

// lay writes down the files of a snapshot, and lets the machine go on in new deltas.
func (m *machine) lay(ref types.ManagedObjectReference, how taking) {
	l := copied(m.LayoutEx)
	stem := path.Join(m.folder(), fmt.Sprintf("%s-Snapshot%d", m.Name, m.lastID))
	own := types.VirtualMachineFileLayoutExSnapshotLayout{
		Key: ref, MemoryKey: -1, DataKey: m.addFile(l, stem+".vmsn", "snapshotData", how.Data),
	}
	if how.Memory > 0 {
		own.MemoryKey = m.addFile(l, stem+".vmem", "snapshotMemory", how.Memory)
	}
	for _, one := range copiedChains(l.Disk) {
		if m.covered(one.Key) {
			own.Disk = append(own.Disk, one)
		}
	}
	l.Snapshot = append(l.Snapshot, own)
	m.branch(l, how.Written)
	m.put(l)
}

// nodes are all places of the tree, parents before their children.
func (m *machine) nodes() []node {
	if m.Snapshot == nil {
		return nil
	}
	var found []node
	left := m.Snapshot.RootSnapshotList
	for len(left) > 0 {
		one := left[0]
		found = append(found, one)
		left = append(append([]node(nil), one.ChildSnapshotList...), left[1:]...)
	}
	return found
}

// called finds a snapshot by its name or managed object id.
func (m *machine) called(word string) (types.ManagedObjectReference, error) {
	for _, one := range m.nodes() {
		if one.Name == word || one.Snapshot.Value == word {
			return one.Snapshot, nil
		}
	}
	return types.ManagedObjectReference{}, fmt.Errorf("%s has no snapshot %q", m.Name, word)
}

// forget takes a snapshot out of the tree; its children go to its parent. The chains stay.
func (m *machine) forget(ref types.ManagedObjectReference) {
	if m.Snapshot == nil {
		return
	}
	roots := lifted(m.Snapshot.RootSnapshotList, ref)
	current := m.Snapshot.CurrentSnapshot
	if current != nil && *current == ref {
		current = m.parentOf(ref)
	}
	m.Snapshot = nil
	if len(roots) > 0 {
		m.Snapshot = &types.VirtualMachineSnapshotInfo{CurrentSnapshot: current, RootSnapshotList: roots}
	}
	simulator.Map.Remove(ref)
}

func lifted(nodes []node, gone types.ManagedObjectReference) []node {
	var changed []node
	for _, one := range nodes {
		children := lifted(one.ChildSnapshotList, gone)
		if one.Snapshot == gone {
			changed = append(changed, children...)
			continue
		}
		one.ChildSnapshotList = children
		changed = append(changed, one)
	}
	return changed
}

func (m *machine) parentOf(ref types.ManagedObjectReference) *types.ManagedObjectReference {
	for _, one := range m.nodes() {
		for _, child := range one.ChildSnapshotList {
			if child.Snapshot == ref {
				parent := one.Snapshot
				return &parent
			}
		}
	}
	return nil
}

// unlay takes a snapshot's own files away. Its deltas are merged by settle, or stay until then.
func (m *machine) unlay(ref types.ManagedObjectReference) {
	l := copied(m.LayoutEx)
	l.Snapshot = nil
	for _, one := range m.LayoutEx.Snapshot {
		if one.Key != ref {
			l.Snapshot = append(l.Snapshot, one)
		}
	}
	m.put(l)
}

// settle merges everything that no snapshot needs.
func (m *machine) settle() {
	l := copied(m.LayoutEx)
	touched := m.merge(l)
	m.put(l)
	m.Runtime.ConsolidationNeeded = types.NewBool(false)
	damages.note(m, touched)
}

// revert makes a snapshot the current one; the machine goes on in new deltas on its disks.
func (m *machine) revert(ref types.ManagedObjectReference) {
	l := copied(m.LayoutEx)
	for _, one := range l.Snapshot {
		if one.Key == ref {
			m.stand(l, one.Disk)
		}
	}
	m.branch(l, 0)
	m.sweep(l)
	m.put(l)
	m.Snapshot = &types.VirtualMachineSnapshotInfo{
		CurrentSnapshot: &ref, RootSnapshotList: m.Snapshot.RootSnapshotList,
	}
}

// stand puts the running point onto other chains; disks that snapshots leave out keep theirs.
func (m *machine) stand(l *layout, chains []chain) {
	for i := range l.Disk {
		if units := chainOf(chains, l.Disk[i].Key); len(units) > 0 {
			l.Disk[i].Chain = append([]unit(nil), units...)
		}
	}
}
