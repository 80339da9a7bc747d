package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/simulator"
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
