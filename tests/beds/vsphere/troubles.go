package main

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/vmware/govmomi/vim25/types"
)

// trouble is a fault on demand.
type trouble struct {
	Method string // SOAP's name for it
	Object string // name or id of a machine; empty: of any
	Fault  string // type of the fault
	At     string // "call": the call is refused; "task": the task fails
	Times  int    // how often; 0: always
	Half   bool   // the snapshot goes, its deltas stay
}

type troubleList struct {
	sync.Mutex
	left []*trouble
}

var troubles = &troubleList{}

func (t *troubleList) add(one trouble) {
	t.Lock()
	defer t.Unlock()
	if one.Times == 0 {
		one.Times = 1 << 30
	}
	t.left = append(t.left, &one)
}

func (t *troubleList) clear() {
	t.Lock()
	defer t.Unlock()
	t.left = nil
}

// next is the trouble that a call meets, which is one less from then on.
func (t *troubleList) next(method, object, at string) *trouble {
	t.Lock()
	defer t.Unlock()
	for _, one := range t.left {
		if one.Method == method && one.At == at && one.Times > 0 && one.meets(object) {
			one.Times--
			return one
		}
	}
	return nil
}

func (t *trouble) meets(object string) bool {
	if t.Object == "" || t.Object == object {
		return true
	}
	m, err := names.find(t.Object)
	return err == nil && m.Self.Value == object
}

// fault is the trouble as the server says it of a machine.
func (t *trouble) fault(m *machine) types.BaseMethodFault {
	fault, err := faultNamed(t.Fault)
	if err != nil {
		return &types.SystemError{Reason: err.Error()}
	}
	file := types.FileFault{File: m.Config.Files.VmPathName}
	switch one := fault.(type) {
	case *types.TaskInProgress:
		one.Task = m.running
		if one.Task.Value == "" {
			one.Task = reference("Task", "task-0")
		}
	case *types.NoPermission:
		one.Object, one.PrivilegeId = m.Self, removing
	case *types.NotAuthenticated:
		one.Object, one.PrivilegeId = m.Self, "System.View"
	case *types.ManagedObjectNotFound:
		one.Obj = m.Self
	case *types.FileLocked:
		one.FileFault = file
	case *types.NoDiskSpace:
		one.FileFault, one.Datastore = file, m.storeOf(m.folder()).Name
	}
	return fault
}

// faultNamed is an empty fault of a type of the API.
func faultNamed(name string) (types.BaseMethodFault, error) {
	kind, ok := types.TypeFunc()(name)
	if !ok {
		return nil, fmt.Errorf("no fault %q", name)
	}
	fault, ok := reflect.New(kind).Interface().(types.BaseMethodFault)
	if !ok {
		return nil, fmt.Errorf("%q is no fault", name)
	}
	return fault, nil
}

func nameOf(fault types.BaseMethodFault) string {
	return strings.TrimPrefix(reflect.TypeOf(fault).Elem().Name(), "*")
}

// damageList is what a merge did to files that other machines stand on.
type damageList struct {
	sync.Mutex
	found []string
}

var damages = &damageList{found: []string{}}

func (d *damageList) note(by *machine, touched []string) {
	files := map[string]bool{}
	for _, name := range touched {
		files[name] = true
	}
	for _, other := range names.all() {
		if other == by || len(files) == 0 {
			continue
		}
		for _, file := range other.LayoutEx.File {
			if files[file.Name] {
				d.add(fmt.Sprintf("%s changed %s of %s", by.Name, file.Name, other.Name))
			}
		}
	}
}

func (d *damageList) add(words string) {
	d.Lock()
	defer d.Unlock()
	d.found = append(d.found, words)
}

func (d *damageList) all() []string {
	d.Lock()
	defer d.Unlock()
	return append([]string{}, d.found...)
}
