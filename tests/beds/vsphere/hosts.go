package main

import (
	"fmt"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

var turn int64 // whose turn it is to get the next machine

// hostCalled finds a host by its name; without one, the hosts take turns.
func hostCalled(name string) (*simulator.HostSystem, error) {
	hosts := hostsByName()
	if name == "" && len(hosts) > 0 {
		return hosts[int(atomic.AddInt64(&turn, 1)-1)%len(hosts)], nil
	}
	for _, host := range hosts {
		if host.Name == name || host.Self.Value == name {
			return host, nil
		}
	}
	return nil, fmt.Errorf("no host %q", name)
}

var hosts struct {
	sync.Mutex
	list []*simulator.HostSystem
}

func hostsByName() []*simulator.HostSystem {
	hosts.Lock()
	defer hosts.Unlock()
	if len(hosts.list) == 0 {
		for _, entity := range simulator.Map.All("HostSystem") {
			hosts.list = append(hosts.list, entity.(*simulator.HostSystem))
		}
		sort.Slice(hosts.list, func(a, b int) bool { return hosts.list[a].Name < hosts.list[b].Name })
	}
	return hosts.list
}

// addHost puts a host into a cluster, which is made when there is none of that name.
func addHost(name, cluster string) (*simulator.HostSystem, error) {
	first := hostsByName()[0]
	center := centerOf(first)
	above, err := clusterCalled(center, cluster)
	if err != nil {
		return nil, err
	}
	spec := types.HostConnectSpec{HostName: name}
	body := above.AddHostTask(&types.AddHost_Task{This: above.Self, Spec: spec, AsConnected: true})
	task := simulator.Map.Get(body.(*methods.AddHost_TaskBody).Res.Returnval).(*simulator.Task)
	if task.Info.Error != nil {
		return nil, fmt.Errorf("%T", task.Info.Error.Fault)
	}
	ref := task.Info.Result.(types.ManagedObjectReference)
	host := simulator.Map.Get(ref).(*simulator.HostSystem)
	for _, seen := range first.Datastore {
		store := simulator.Map.Get(seen).(*simulator.Datastore)
		show(host, store)
		mountInfo := types.HostMountInfo{AccessMode: "readWrite"}
		locked(store, func() {
			store.Host = append(store.Host, types.DatastoreHostMount{Key: ref, MountInfo: mountInfo})
		})
	}
	hosts.Lock()
	defer hosts.Unlock()
	hosts.list = append(hosts.list, host)
	return host, nil
}

func clusterCalled(
	center *simulator.Datacenter, name string,
) (*simulator.ClusterComputeResource, error) {
	for _, entity := range simulator.Map.All("ClusterComputeResource") {
		if entity.Entity().Name == name {
			return entity.(*simulator.ClusterComputeResource), nil
		}
	}
	folder := simulator.Map.Get(center.HostFolder).(*simulator.Folder)
	answer := folder.CreateClusterEx(inside(), &types.CreateClusterEx{This: folder.Self, Name: name})
	body, ok := answer.(*methods.CreateClusterExBody)
	if !ok || body.Res == nil {
		return nil, fmt.Errorf("cluster %q cannot be made", name)
	}
	return simulator.Map.Get(body.Res.Returnval).(*simulator.ClusterComputeResource), nil
}

func centerOf(item mo.Entity) *simulator.Datacenter {
	for item.Entity().Parent != nil {
		above := simulator.Map.Get(*item.Entity().Parent)
		if center, ok := above.(*simulator.Datacenter); ok {
			return center
		}
		item = above.(mo.Entity)
	}
	return nil
}

// folderAt is a folder for machines by its path, made where it is not there.
func folderAt(center *simulator.Datacenter, words []string) (*simulator.Folder, error) {
	at := simulator.Map.Get(center.VmFolder).(*simulator.Folder)
	for _, name := range words {
		if name == "" {
			continue
		}
		below, err := childFolder(at, name)
		if err != nil {
			return nil, err
		}
		at = below
	}
	return at, nil
}

func childFolder(at *simulator.Folder, name string) (*simulator.Folder, error) {
	for _, child := range at.ChildEntity {
		if child.Type != "Folder" {
			continue
		}
		if below, ok := simulator.Map.Get(child).(*simulator.Folder); ok && below.Name == name {
			return below, nil
		}
	}
	answer := at.CreateFolder(inside(), &types.CreateFolder{This: at.Self, Name: name})
	body, ok := answer.(*methods.CreateFolderBody)
	if !ok || body.Res == nil {
		return nil, fmt.Errorf("folder %q cannot be made", name)
	}
	return simulator.Map.Get(body.Res.Returnval).(*simulator.Folder), nil
}
