package main

import (
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// machine is a virtual machine whose snapshots have deltas. Everything that can be read of it is
// replaced and never changed in place, since answers are written while it may go on changing.
type machine struct {
	simulator.VirtualMachine

	lastID   int32 // of a snapshot; never given twice
	lastFile int32 // key in layoutEx; 0 would not be written into an answer
	running  types.ManagedObjectReference
}

// adoptMachine puts a machine of ours in the place of a loaded one, and its snapshots with it.
func adoptMachine(loaded *simulator.VirtualMachine) *machine {
	m := &machine{}
	m.VirtualMachine.VirtualMachine = loaded.VirtualMachine
	if m.Runtime.ConsolidationNeeded == nil {
		m.Runtime.ConsolidationNeeded = types.NewBool(false)
	}
	if m.LayoutEx != nil {
		for _, file := range m.LayoutEx.File {
			m.lastFile = maximum(m.lastFile, file.Key)
		}
	}
	names.put(m)
	simulator.Map.Put(m)
	for _, node := range m.nodes() {
		m.lastID = maximum(m.lastID, node.Id)
		adoptSnapshot(m, node.Snapshot)
	}
	return m
}

func maximum(a, b int32) int32 {
	if a > b {
		return a
	}
	return b
}

// locked runs what reads or changes a machine. A method of the machine itself is locked already.
func (m *machine) locked(f func()) { simulator.Map.WithLock(m, f) }

// folder is where the machine's own files lie: `[datastore] name`.
func (m *machine) folder() string { return path.Dir(m.Config.Files.VmPathName) }

// owns tells its own files, on whichever datastore, from those of the machine it was cloned from.
func (m *machine) owns(file string) bool { return inStore(path.Dir(file)) == inStore(m.folder()) }

// inStore is a path without its datastore.
func inStore(file string) string {
	_, rest, _ := strings.Cut(file, "] ")
	return rest
}

// addFile lists one more file, in a layout that nobody reads yet.
func (m *machine) addFile(l *types.VirtualMachineFileLayoutEx, name, kind string, size int64) int32 {
	m.lastFile++
	l.File = append(l.File, types.VirtualMachineFileLayoutExFileInfo{
		Key: m.lastFile, Name: name, Type: kind, Size: size, UniqueSize: size,
		Accessible: types.NewBool(true),
	})
	return m.lastFile
}

// disks are the virtual disks among its devices.
func (m *machine) disks() []*types.VirtualDisk {
	var found []*types.VirtualDisk
	for _, device := range m.Config.Hardware.Device {
		if disk, ok := device.(*types.VirtualDisk); ok {
			found = append(found, disk)
		}
	}
	return found
}

// put shows another layout, with the devices standing on its chains and what it takes of the
// datastores taken.
func (m *machine) put(l *types.VirtualMachineFileLayoutEx) {
	l.Timestamp = now()
	m.spend(m.LayoutEx, l)
	config := *m.Config
	config.Hardware.Device = nil
	for _, device := range m.Config.Hardware.Device {
		if disk, ok := device.(*types.VirtualDisk); ok {
			device = standing(disk, l)
		}
		config.Hardware.Device = append(config.Hardware.Device, device)
	}
	m.Config, m.LayoutEx = &config, l
}

// standing is the disk with the backing that its chain in the layout makes.
func standing(disk *types.VirtualDisk, l *types.VirtualMachineFileLayoutEx) *types.VirtualDisk {
	old, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
	if !ok {
		return disk
	}
	var below *types.VirtualDiskFlatVer2BackingInfo
	for _, unit := range chainOf(l.Disk, disk.Key) {
		own := *old
		own.FileName, own.Parent = fileOf(l, unit.FileKey[0]).Name, below
		below = &own
	}
	if below == nil {
		return disk
	}
	changed := *disk
	changed.Backing = below
	return &changed
}

// registry of machines by their names and ids, since the library's own look-up goes through all.
type nameIndex struct {
	sync.Mutex
	byName map[string]*machine
}

var names = &nameIndex{byName: map[string]*machine{}}

func (n *nameIndex) put(m *machine) {
	n.Lock()
	defer n.Unlock()
	n.byName[m.Name] = m
}

// find takes a machine's name or its managed object id.
func (n *nameIndex) find(word string) (*machine, error) {
	n.Lock()
	defer n.Unlock()
	if m, ok := n.byName[word]; ok {
		return m, nil
	}
	if m, ok := simulator.Map.Get(reference("VirtualMachine", word)).(*machine); ok {
		return m, nil
	}
	return nil, fmt.Errorf("no machine %q", word)
}

func (n *nameIndex) all() []*machine {
	n.Lock()
	defer n.Unlock()
	found := make([]*machine, 0, len(n.byName))
	for _, m := range n.byName {
		found = append(found, m)
	}
	return found
}

func reference(kind, value string) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: kind, Value: value}
}

// find is any object by its managed object id, or an entity by its name.
func find(word string) (mo.Reference, error) {
	if m, err := names.find(word); err == nil {
		return m, nil
	}
	for _, entity := range simulator.Map.All("") {
		if entity.Reference().Value == word || entity.Entity().Name == word {
			return simulator.Map.Get(entity.Reference()), nil
		}
	}
	return nil, fmt.Errorf("no object %q", word)
}
