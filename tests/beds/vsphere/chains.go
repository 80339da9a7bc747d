package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

type (
	layout = types.VirtualMachineFileLayoutEx
	unit   = types.VirtualMachineFileLayoutExDiskUnit
	chain  = types.VirtualMachineFileLayoutExDiskLayout
)

var numbered = regexp.MustCompile(`-[0-9]{6}$`)

// copied is a layout that may be changed: the old one may just be on its way to a client.
func copied(l *layout) *layout {
	fresh := &layout{Timestamp: l.Timestamp, Disk: copiedChains(l.Disk)}
	fresh.File = append(fresh.File, l.File...)
	for _, one := range l.Snapshot {
		one.Disk = copiedChains(one.Disk)
		fresh.Snapshot = append(fresh.Snapshot, one)
	}
	return fresh
}

func copiedChains(chains []chain) []chain {
	var fresh []chain
	for _, one := range chains {
		one.Chain = append([]unit(nil), one.Chain...)
		fresh = append(fresh, one)
	}
	return fresh
}

func chainOf(chains []chain, key int32) []unit {
	for _, one := range chains {
		if one.Key == key {
			return one.Chain
		}
	}
	return nil
}

func fileOf(l *layout, key int32) *types.VirtualMachineFileLayoutExFileInfo {
	for i := range l.File {
		if l.File[i].Key == key {
			return &l.File[i]
		}
	}
	return &types.VirtualMachineFileLayoutExFileInfo{}
}

// id tells units apart: by the key of the descriptor.
func id(u unit) int32 { return u.FileKey[0] }

func top(units []unit) unit { return units[len(units)-1] }

// extent is the file of a unit that holds the data.
func extent(l *layout, u unit) *types.VirtualMachineFileLayoutExFileInfo {
	return fileOf(l, u.FileKey[len(u.FileKey)-1])
}

// deltaName is the descriptor of the next delta of a disk: `web-000002.vmdk`.
func deltaName(l *layout, base string) string {
	taken := map[string]bool{}
	for _, file := range l.File {
		taken[file.Name] = true
	}
	stem := numbered.ReplaceAllString(strings.TrimSuffix(base, path.Ext(base)), "")
	for number := 1; ; number++ {
		if name := fmt.Sprintf("%s-%06d.vmdk", stem, number); !taken[name] {
			return name
		}
	}
}

// branch lets a machine write into a new delta on each of its disks that snapshots cover.
func (m *machine) branch(l *layout, written int64) {
	for i := range l.Disk {
		if !m.covered(l.Disk[i].Key) || len(l.Disk[i].Chain) == 0 {
			continue
		}
		below := fileOf(l, id(top(l.Disk[i].Chain))).Name
		if !m.owns(below) { // a clone's first delta has the clone's name
			below = path.Join(m.folder(), m.Name+".vmdk")
		}
		name := deltaName(l, below)
		data := strings.TrimSuffix(name, ".vmdk") + "-sesparse.vmdk"
		keys := []int32{
			m.addFile(l, name, "diskDescriptor", 0),
			m.addFile(l, data, "diskExtent", written),
		}
		l.Disk[i].Chain = append(l.Disk[i].Chain, unit{FileKey: keys})
	}
}

// covered tells whether snapshots hold a disk: independent ones are left out.
func (m *machine) covered(key int32) bool {
	for _, disk := range m.disks() {
		if disk.Key == key {
			backing, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
			return !ok || !strings.HasPrefix(backing.DiskMode, "independent")
		}
	}
	return true
}

// merge is what consolidating does: a unit that no snapshot and no running point needs takes up
// the one delta that stands on it. A unit that two branches stand on stays. What the merge writes
// into or takes away is told.
func (m *machine) merge(l *layout) (touched []string) {
	for {
		below, above, ok := m.mergeable(l)
		if !ok {
			return append(touched, m.sweep(l)...)
		}
		touched = append(touched, fileOf(l, id(below)).Name, fileOf(l, id(above)).Name)
		m.absorb(l, below, above)
	}
}

func (m *machine) mergeable(l *layout) (below, above unit, ok bool) {
	for _, disk := range l.Disk {
		if below, above, ok = m.mergeableOf(l, disk.Key); ok {
			return below, above, true
		}
	}
	return unit{}, unit{}, false
}

func (m *machine) mergeableOf(l *layout, key int32) (unit, unit, bool) {
	chains := allChains(l, key)
	needed := map[int32]bool{}
	standing := map[int32]map[int32]unit{}
	for _, units := range chains {
		needed[id(top(units))] = true
		for i, above := range units[1:] {
			below := id(units[i])
			if standing[below] == nil {
				standing[below] = map[int32]unit{}
			}
			standing[below][id(above)] = above
		}
	}
	for _, units := range chains {
		for _, below := range units {
			ups := standing[id(below)]
			if needed[id(below)] || len(ups) != 1 || !m.owns(fileOf(l, id(below)).Name) {
				continue
			}
			for _, above := range ups {
				return below, above, true
			}
		}
	}
	return unit{}, unit{}, false
}

// allChains are the chains of one disk: that of the running point, and those of the snapshots.
func allChains(l *layout, key int32) [][]unit {
	var found [][]unit
	if units := chainOf(l.Disk, key); len(units) > 0 {
		found = append(found, units)
	}
	for _, one := range l.Snapshot {
		if units := chainOf(one.Disk, key); len(units) > 0 {
			found = append(found, units)
		}
	}
	return found
}

func (m *machine) absorb(l *layout, below, above unit) {
	into, from := extent(l, below), extent(l, above)
	if capacity := m.capacityOf(l, below); into.Size < capacity {
		into.Size = minimum(capacity, into.Size+from.Size)
		into.UniqueSize = into.Size
	}
	without := func(chains []chain) {
		for i := range chains {
			chains[i].Chain = drop(chains[i].Chain, id(above))
		}
	}
	without(l.Disk)
	for i := range l.Snapshot {
		without(l.Snapshot[i].Disk)
	}
}

func minimum(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

func drop(units []unit, gone int32) []unit {
	var kept []unit
	for _, one := range units {
		if id(one) != gone {
			kept = append(kept, one)
		}
	}
	return kept
}

// capacityOf is the size of the disk that a unit belongs to.
func (m *machine) capacityOf(l *layout, u unit) int64 {
	for _, disk := range m.disks() {
		for _, units := range allChains(l, disk.Key) {
			for _, one := range units {
				if id(one) == id(u) {
					return disk.CapacityInBytes
				}
			}
		}
	}
	return 1 << 62
}

// sweep takes away the files that nothing refers to any more, and tells which.
func (m *machine) sweep(l *layout) []string {
	used := map[int32]bool{}
	mark := func(chains []chain) {
		for _, one := range chains {
			for _, u := range one.Chain {
				for _, key := range u.FileKey {
					used[key] = true
				}
			}
		}
	}
	mark(l.Disk)
	for _, one := range l.Snapshot {
		mark(one.Disk)
		used[one.DataKey], used[one.MemoryKey] = true, true
	}
	var kept []types.VirtualMachineFileLayoutExFileInfo
	var gone []string
	for _, file := range l.File {
		if isOfSnapshots(file.Type) && !used[file.Key] {
			gone = append(gone, file.Name)
			continue
		}
		kept = append(kept, file)
	}
	l.File = kept
	return gone
}

func isOfSnapshots(kind string) bool {
	switch kind {
	case "diskDescriptor", "diskExtent", "snapshotData", "snapshotMemory":
		return true
	}
	return false
}
