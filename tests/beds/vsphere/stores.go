package main

import (
	"fmt"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// storeSpec is a datastore to be made, for all hosts of a datacenter.
type storeSpec struct {
	Name, Kind     string
	Capacity, Free int64 // bytes; Free before the machines come
}

func (spec storeSpec) make() (*simulator.Datastore, error) {
	if spec.Capacity == 0 {
		spec.Capacity, spec.Free = 100*tib, 100*tib
	}
	if spec.Kind == "" {
		spec.Kind = "VMFS"
	}
	folder, err := os.MkdirTemp("", "datastore-")
	if err != nil {
		return nil, err
	}
	store := &simulator.Datastore{}
	store.Self = reference("Datastore", nextID("datastore"))
	store.Name = spec.Name
	store.Info = &types.LocalDatastoreInfo{
		DatastoreInfo: types.DatastoreInfo{Name: spec.Name, Url: folder}, Path: folder,
	}
	store.Summary = types.DatastoreSummary{
		Datastore: &store.Self, Name: spec.Name, Type: spec.Kind, Accessible: true,
		Url:      fmt.Sprintf("ds:///vmfs/volumes/%s/", path.Base(folder)),
		Capacity: spec.Capacity, FreeSpace: spec.Free, MaintenanceMode: "normal",
		MultipleHostAccess: types.NewBool(true),
	}
	return store, mount(store)
}

// mount shows a datastore to the hosts of the first datacenter that has none of that name.
func mount(store *simulator.Datastore) error {
	hosts := hostsByName()
	if len(hosts) == 0 {
		return fmt.Errorf("no host for datastore %q", store.Name)
	}
	center := centerOf(hosts[0])
	folder := simulator.Map.Get(center.DatastoreFolder).(*simulator.Folder)
	browser := &simulator.HostDatastoreBrowser{}
	browser.Datastore = []types.ManagedObjectReference{store.Self}
	store.Browser, store.Parent = simulator.Map.Put(browser).Reference(), &folder.Self
	locked(folder, func() { folder.ChildEntity = append(folder.ChildEntity, store.Self) })
	locked(center, func() { center.Datastore = append(center.Datastore, store.Self) })
	for _, host := range hosts {
		store.Host = append(store.Host, types.DatastoreHostMount{
			Key: host.Self, MountInfo: types.HostMountInfo{
				AccessMode: "readWrite", Mounted: types.NewBool(true), Accessible: types.NewBool(true),
			},
		})
		show(host, store)
	}
	simulator.Map.Put(store)
	return nil
}

func show(host *simulator.HostSystem, store *simulator.Datastore) {
	locked(host, func() { host.Datastore = append(host.Datastore, store.Self) })
	switch above := simulator.Map.Get(*host.Parent).(type) {
	case *simulator.ClusterComputeResource:
		simulator.Map.AddReference(above, &above.Datastore, store.Self)
	case *mo.ComputeResource:
		simulator.Map.AddReference(above, &above.Datastore, store.Self)
	}
}

// spend takes free space from the datastores of a machine's own files, or gives it back.
func (m *machine) spend(before, after *layout) {
	more := map[string]int64{}
	for _, file := range after.File {
		more[storeName(file.Name)] += m.taken(file)
	}
	for _, file := range before.File {
		more[storeName(file.Name)] -= m.taken(file)
	}
	for name, bytes := range more {
		store, err := storeCalled(name)
		if err != nil || bytes == 0 {
			continue
		}
		locked(store, func() {
			store.Summary.FreeSpace -= bytes
			store.Info.GetDatastoreInfo().FreeSpace = store.Summary.FreeSpace
		})
	}
}

// taken is what a file takes because of this machine, which is nothing for one that it stands on.
func (m *machine) taken(file types.VirtualMachineFileLayoutExFileInfo) int64 {
	if m.owns(file.Name) {
		return file.Size
	}
	return 0
}

func storeName(file string) string {
	var at object.DatastorePath
	at.FromString(file)
	return at.Datastore
}

// storeOf is the datastore of a path like `[datastore] folder/file`.
func (m *machine) storeOf(file string) *simulator.Datastore {
	var at object.DatastorePath
	if at.FromString(file) {
		if store, err := storeCalled(at.Datastore); err == nil {
			return store
		}
	}
	return &simulator.Datastore{}
}

// index keeps what the library would look up among all objects.
type index struct {
	sync.Mutex
	stores map[string]*simulator.Datastore
}

var known = &index{stores: map[string]*simulator.Datastore{}}

func storeCalled(name string) (*simulator.Datastore, error) {
	known.Lock()
	defer known.Unlock()
	if store, ok := known.stores[name]; ok {
		return store, nil
	}
	for _, entity := range simulator.Map.All("Datastore") {
		store, ok := entity.(*simulator.Datastore)
		if ok && (store.Name == name || store.Self.Value == name) {
			known.stores[name] = store
			return store, nil
		}
	}
	return nil, fmt.Errorf("no datastore %q", name)
}

func storeOfHost(host *simulator.HostSystem) (*simulator.Datastore, error) {
	if len(host.Datastore) == 0 {
		return nil, fmt.Errorf("host %s has no datastore", host.Name)
	}
	return simulator.Map.Get(host.Datastore[0]).(*simulator.Datastore), nil
}

// place for an orphan or any other file: `[datastore] folder/file`.
func writeFile(file string, bytes int64) error {
	var at object.DatastorePath
	if !at.FromString(file) {
		return fmt.Errorf("%q is no path on a datastore", file)
	}
	store, err := storeCalled(at.Datastore)
	if err != nil {
		return err
	}
	real := path.Join(store.Info.GetDatastoreInfo().Url, at.Path)
	if err := os.MkdirAll(path.Dir(real), 0o700); err != nil {
		return err
	}
	if strings.HasSuffix(file, "/") {
		return nil
	}
	made, err := os.Create(real)
	if err != nil {
		return err
	}
	defer made.Close()
	return made.Truncate(bytes) // without taking any room
}
