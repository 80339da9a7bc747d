package main

import (
	"fmt"

	"github.com/vmware/govmomi/vim25/types"
)

// machines is an order for many, all alike.
type machines struct {
	Count, Snapshots int
	Prefix           string
	Age              int64 // seconds; of the oldest snapshot, the others are spread over it
	Written          int64 // bytes in each delta
}

func (all machines) make() error {
	if all.Prefix == "" {
		all.Prefix = "vm"
	}
	if all.Age == 0 {
		all.Age = 20 * 24 * 3600
	}
	for i := 0; i < all.Count; i++ {
		spec := machineSpec{Name: fmt.Sprintf("%s-%d", all.Prefix, i)}
		m, err := spec.make()
		if err != nil {
			return err
		}
		for s := 0; s < all.Snapshots; s++ {
			age := all.Age * int64(all.Snapshots-s) / int64(all.Snapshots)
			m.take(taking{
				Name: fmt.Sprintf("snapshot %d", s+1), Description: "made for the test",
				At: ago(age), Written: all.Written + gib, Data: 30000,
			})
		}
	}
	return nil
}

// clone makes a linked clone: its disks stand on those of a snapshot of another machine.
func clone(name string, of *machine, ref types.ManagedObjectReference) (*machine, error) {
	spec := machineSpec{Name: name, Datastore: of.storeOf(of.folder()).Name}
	for _, disk := range of.disks() {
		spec.Disks = append(spec.Disks, diskSpec{Capacity: disk.CapacityInBytes})
	}
	m, err := spec.make()
	if err != nil {
		return nil, err
	}
	l := copied(m.LayoutEx)
	for i := range l.Disk {
		m.standOn(l, i, of, ref)
	}
	m.branch(l, gib)
	m.sweep(l)
	m.put(l)
	return m, nil
}

// standOn gives a disk the chain of the snapshot in place of a base of its own.
func (m *machine) standOn(l *layout, disk int, of *machine, ref types.ManagedObjectReference) {
	var units []unit
	for _, one := range of.LayoutEx.Snapshot {
		if one.Key != ref {
			continue
		}
		for _, theirs := range chainOf(one.Disk, l.Disk[disk].Key) {
			var keys []int32
			for _, key := range theirs.FileKey {
				file := fileOf(of.LayoutEx, key)
				keys = append(keys, m.addFile(l, file.Name, file.Type, file.Size))
			}
			units = append(units, unit{FileKey: keys})
		}
	}
	if len(units) > 0 {
		l.Disk[disk].Chain = units
	}
}
