package main

import (
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// place is where a machine is put.
type place struct {
	host   *simulator.HostSystem
	store  *simulator.Datastore
	folder *simulator.Folder
	pool   *types.ManagedObjectReference
}

func (at place) add(m *machine) {
	locked(at.folder, func() { at.folder.ChildEntity = append(at.folder.ChildEntity, m.Self) })
	simulator.Map.Put(m)
	locked(at.store, func() { at.store.Vm = append(at.store.Vm, m.Self) })
	locked(at.host, func() { at.host.Vm = append(at.host.Vm, m.Self) })
	if pool, ok := simulator.Map.Get(*at.pool).(*simulator.ResourcePool); ok && m.ResourcePool != nil {
		locked(pool, func() { pool.Vm = append(pool.Vm, m.Self) })
	}
}

// useStore lets the machine be one of those of another datastore too.
func (m *machine) useStore(name string) {
	store, err := storeCalled(name)
	if err != nil || simulator.FindReference(m.Datastore, store.Self) != nil {
		return
	}
	m.Datastore = append(m.Datastore, store.Self)
	locked(store, func() { store.Vm = append(store.Vm, m.Self) })
}

func placeFor(spec machineSpec) (place, error) {
	var at place
	var err error
	if at.host, err = hostCalled(spec.Host); err != nil {
		return at, err
	}
	if spec.Datastore == "" {
		at.store, err = storeOfHost(at.host)
	} else {
		at.store, err = storeCalled(spec.Datastore)
	}
	if err != nil {
		return at, err
	}
	at.pool = poolOf(at.host)
	at.folder, err = folderAt(centerOf(at.host), strings.Split(spec.Folder, "/"))
	return at, err
}

func poolOf(host *simulator.HostSystem) *types.ManagedObjectReference {
	switch above := simulator.Map.Get(*host.Parent).(type) {
	case *simulator.ClusterComputeResource:
		return above.ResourcePool
	case *mo.ComputeResource:
		return above.ResourcePool
	}
	return &types.ManagedObjectReference{}
}
