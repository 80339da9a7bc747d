package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

const tib = int64(1) << 40

// furnish makes what there is before the first order: an estate of that size, or a saved one.
func furnish(asked settings) (*simulator.Model, error) {
	model := simulator.VPX()
	if asked.esx {
		model = simulator.ESX()
	}
	if err := populate(model, asked); err != nil {
		return nil, err
	}
	adopt()
	identify(asked.uuid)
	tasks.taking, pages.limit = asked.taking, asked.page
	if asked.load != "" {
		return model, nil
	}
	for number := 0; number < asked.datastores; number++ {
		spec := storeSpec{Name: fmt.Sprintf("datastore%d", number+1)}
		if _, err := spec.make(); err != nil {
			return nil, err
		}
	}
	if err := (machines{Count: asked.machines, Snapshots: asked.snapshots}).make(); err != nil {
		return nil, err
	}
	return model, begin(asked.play)
}

// begin carries out the orders of a file, if there is one.
func begin(file string) error {
	if file == "" {
		return nil
	}
	_, err := play(file)
	return err
}

func populate(model *simulator.Model, asked settings) error {
	if asked.load != "" {
		return model.Load(asked.load)
	}
	model.Datacenter, model.Cluster, model.ClusterHost = asked.datacenters, asked.clusters, asked.hosts
	model.Datastore, model.Host, model.Machine, model.Portgroup = 0, 0, 0, 0
	if asked.esx {
		model.Datacenter = 0
	}
	model.DelayConfig.Delay = int(asked.delay.Milliseconds())
	return model.Create()
}

// adopt puts our own kinds of object in the place of the library's.
func adopt() {
	adoptCollector()
	adoptAuthorization()
	adoptTasks()
	for _, entity := range simulator.Map.All("VirtualMachine") {
		adoptMachine(entity.(*simulator.VirtualMachine))
	}
}

// identify gives the server another identity than that of every other simulator.
func identify(uuid string) {
	if uuid == "" {
		return
	}
	ref := reference("ServiceInstance", "ServiceInstance")
	instance := simulator.Map.Get(ref).(*simulator.ServiceInstance)
	if instance.Content.About.ApiType == "HostAgent" {
		host := simulator.Map.Any("HostSystem").(*simulator.HostSystem)
		host.Summary.Hardware.Uuid, host.Hardware.SystemInfo.Uuid = uuid, uuid
		return
	}
	instance.Content.About.InstanceUuid = uuid
}

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

// inside is a context for calls to the library that no client made.
func inside() *simulator.Context {
	return &simulator.Context{
		Map:     simulator.Map,
		Context: context.Background(),
		Session: &simulator.Session{Registry: simulator.NewRegistry()},
	}
}

var lastID int64 = 1000

// nextID is a managed object id as vCenter forms them.
func nextID(prefix string) string {
	return fmt.Sprintf("%s-%d", prefix, atomic.AddInt64(&lastID, 1))
}

func ago(seconds int64) time.Time { return now().Add(-time.Duration(seconds) * time.Second) }

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
