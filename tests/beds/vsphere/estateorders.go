package main

import (
	"encoding/json"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// Orders that make the estate what a test needs, as somebody at the vCenter would.

func moid(ref types.ManagedObjectReference) map[string]string {
	return map[string]string{"moid": ref.Value}
}

func orderID(line []byte) (interface{}, error) {
	var o struct{ Object string }
	if err := json.Unmarshal(line, &o); err != nil {
		return nil, err
	}
	object, err := find(o.Object)
	if err != nil {
		return nil, err
	}
	return moid(object.Reference()), nil
}

func orderMachine(line []byte) (interface{}, error) {
	var spec machineSpec
	if err := json.Unmarshal(line, &spec); err != nil {
		return nil, err
	}
	m, err := spec.make()
	if err != nil {
		return nil, err
	}
	return moid(m.Self), nil
}

func orderMachines(line []byte) (interface{}, error) {
	var all machines
	if err := json.Unmarshal(line, &all); err != nil {
		return nil, err
	}
	return nil, all.make()
}

func orderClone(line []byte) (interface{}, error) {
	var o struct{ Name, Of, Snapshot string }
	if err := json.Unmarshal(line, &o); err != nil {
		return nil, err
	}
	of, err := names.find(o.Of)
	if err != nil {
		return nil, err
	}
	ref, err := of.called(o.Snapshot)
	if err != nil {
		return nil, err
	}
	m, err := clone(o.Name, of, ref)
	if err != nil {
		return nil, err
	}
	return moid(m.Self), nil
}

func orderDatastore(line []byte) (interface{}, error) {
	var spec storeSpec
	if err := json.Unmarshal(line, &spec); err != nil {
		return nil, err
	}
	store, err := spec.make()
	if err != nil {
		return nil, err
	}
	return moid(store.Self), nil
}

func orderHost(line []byte) (interface{}, error) {
	var o struct{ Name, Cluster string }
	if err := json.Unmarshal(line, &o); err != nil {
		return nil, err
	}
	host, err := addHost(o.Name, o.Cluster)
	if err != nil {
		return nil, err
	}
	return moid(host.Self), nil
}

// onMachine decodes an order about a machine, and carries it out with the machine locked.
func onMachine(line []byte, o interface{}, f func(*machine) (interface{}, error)) (interface{}, error) {
	var named struct{ VM string }
	if err := json.Unmarshal(line, &named); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(line, o); err != nil {
		return nil, err
	}
	m, err := names.find(named.VM)
	if err != nil {
		return nil, err
	}
	var given interface{}
	m.locked(func() { given, err = f(m) })
	return given, err
}

func orderSnapshot(line []byte) (interface{}, error) {
	var o struct {
		taking
		Age int64 // seconds
	}
	return onMachine(line, &o, func(m *machine) (interface{}, error) {
		if o.At.IsZero() {
			o.At = ago(o.Age)
		}
		if o.Data == 0 {
			o.Data = 30000
		}
		return moid(m.take(o.taking)), nil
	})
}

// orderRemove takes a snapshot away as somebody else might; half of it leaves the deltas.
func orderRemove(line []byte) (interface{}, error) {
	var o struct {
		Snapshot       string
		Children, Half bool
	}
	return onMachine(line, &o, func(m *machine) (interface{}, error) {
		ref, err := m.called(o.Snapshot)
		if err == nil {
			m.remove(ref, o.Children, o.Half)
		}
		return nil, err
	})
}

func orderRevert(line []byte) (interface{}, error) {
	var o struct{ Snapshot string }
	return onMachine(line, &o, func(m *machine) (interface{}, error) {
		ref, err := m.called(o.Snapshot)
		if err == nil {
			m.revert(ref)
		}
		return nil, err
	})
}

func orderConsolidate(line []byte) (interface{}, error) {
	return onMachine(line, &struct{}{}, func(m *machine) (interface{}, error) {
		m.settle()
		return nil, nil
	})
}

// orderWrite lets the topmost unit of each disk grow.
func orderWrite(line []byte) (interface{}, error) {
	var o struct{ Bytes int64 }
	return onMachine(line, &o, func(m *machine) (interface{}, error) {
		l := copied(m.LayoutEx)
		for _, disk := range l.Disk {
			file := extent(l, top(disk.Chain))
			file.Size, file.UniqueSize = file.Size+o.Bytes, file.UniqueSize+o.Bytes
		}
		m.put(l)
		return nil, nil
	})
}

func orderDestroy(line []byte) (interface{}, error) {
	return onMachine(line, &struct{}{}, func(m *machine) (interface{}, error) {
		for _, one := range m.nodes() {
			simulator.Map.Remove(one.Snapshot)
		}
		if folder, ok := simulator.Map.Get(*m.Parent).(*simulator.Folder); ok {
			simulator.Map.RemoveReference(folder, &folder.ChildEntity, m.Self)
		}
		for _, ref := range m.Datastore {
			store := simulator.Map.Get(ref).(*simulator.Datastore)
			simulator.Map.RemoveReference(store, &store.Vm, m.Self)
		}
		names.drop(m)
		simulator.Map.Remove(m.Self)
		return nil, nil
	})
}

func (n *nameIndex) drop(m *machine) {
	n.Lock()
	defer n.Unlock()
	delete(n.byName, m.Name)
}

// orderAttribute gives a machine a value of a custom attribute, which is made when it is new.
func orderAttribute(line []byte) (interface{}, error) {
	var o struct{ Name, Value string }
	return onMachine(line, &o, func(m *machine) (interface{}, error) {
		value := &types.CustomFieldStringValue{Value: o.Value}
		value.Key = fieldKey(o.Name)
		m.CustomValue = append(append([]types.BaseCustomFieldValue(nil), m.CustomValue...), value)
		m.Value = m.CustomValue
		return nil, nil
	})
}

func fieldKey(name string) int32 {
	fields := simulator.Map.CustomFieldsManager()
	for _, field := range fields.Field {
		if field.Name == name {
			return field.Key
		}
	}
	key := int32(len(fields.Field) + 101)
	fields.Field = append(fields.Field, types.CustomFieldDef{
		Key: key, Name: name, Type: "string", ManagedObjectType: "VirtualMachine",
	})
	return key
}

// orderTask shows a task of somebody else on a machine.
func orderTask(line []byte) (interface{}, error) {
	var o struct {
		Name, Description, State, User, Result string
		Age                                    int64 // seconds since it was queued
	}
	return onMachine(line, &o, func(m *machine) (interface{}, error) {
		task := tasks.queue(m, o.Name, o.Description, o.User)
		locked(task, func() {
			task.Info.State, task.Info.QueueTime = types.TaskInfoState(o.State), ago(o.Age)
			if o.Result != "" {
				task.Info.Result = reference("VirtualMachineSnapshot", o.Result)
			}
			if o.State == "success" || o.State == "error" {
				ended := now()
				task.Info.CompleteTime = &ended
			}
		})
		m.RecentTask = append(append([]types.ManagedObjectReference(nil), m.RecentTask...), task.Self)
		return moid(task.Self), nil
	})
}

// orderFile lays a file onto a datastore; orderFiles those that the machines say they have.
func orderFile(line []byte) (interface{}, error) {
	var o struct {
		Path string
		Size int64
	}
	if err := json.Unmarshal(line, &o); err != nil {
		return nil, err
	}
	return nil, writeFile(o.Path, o.Size)
}

func orderFiles([]byte) (interface{}, error) {
	for _, m := range names.all() {
		for _, file := range m.LayoutEx.File {
			if err := writeFile(file.Name, file.Size); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}
