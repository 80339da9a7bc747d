package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const steps = 20 // how often a task tells its progress

// act is a call that makes a task on a machine.
type act struct {
	method, description string
	machine             *machine
	ctx                 *simulator.Context
	work                func(half bool) types.AnyType
	reads               bool // it changes nothing, and waits for nobody
}

// begin starts the task, with the machine locked, or tells why there is none.
func (a act) begin() (types.ManagedObjectReference, *soap.Fault) {
	m := a.machine
	if fault := a.refused(); fault != nil {
		return types.ManagedObjectReference{}, simulator.Fault(words(fault), fault)
	}
	task := tasks.queue(m, a.method, a.description, userOf(a.ctx))
	if !a.reads {
		m.running = task.Self
	}
	m.RecentTask = append(append([]types.ManagedObjectReference(nil), m.RecentTask...), task.Self)
	go a.run(task)
	return task.Self, nil
}

// refused are the reasons for which a server does not even begin.
func (a act) refused() types.BaseMethodFault {
	m := a.machine
	if trouble := troubles.next(a.method, m.Self.Value, "call"); trouble != nil {
		return trouble.fault(m)
	}
	if rights.lacks(m.Self, removing) && a.method != "CreateSnapshot_Task" {
		return &types.NoPermission{Object: m.Self, PrivilegeId: removing}
	}
	for _, method := range m.DisabledMethod {
		if method == a.method {
			return &types.MethodDisabled{}
		}
	}
	if m.running.Value != "" && !a.reads {
		return &types.TaskInProgress{Task: m.running}
	}
	return nil
}

// run brings the task to its end, in its own time.
func (a act) run(task *simulator.Task) {
	m := a.machine
	tasks.pass(task)
	trouble := troubles.next(a.method, m.Self.Value, "task")
	var result types.AnyType
	var fault types.BaseMethodFault
	m.locked(func() {
		half := trouble != nil && trouble.Half
		if trouble == nil || half {
			result = a.work(half)
		}
		if trouble != nil && trouble.Fault != "" {
			fault = trouble.fault(m)
		}
		if !a.reads {
			m.running = types.ManagedObjectReference{}
		}
	})
	tasks.end(task, result, fault)
}

// taskBook is all that is known about tasks.
type taskBook struct {
	sync.Mutex
	taking time.Duration // what each takes from now on
	held   bool          // none comes any further while this holds
	made   []*simulator.Task
}

var tasks = &taskBook{}

func (b *taskBook) queue(m *machine, method, description, user string) *simulator.Task {
	task := simulator.CreateTask(m, method, nil)
	locked(task, func() {
		task.Info.Name, task.Info.DescriptionId = method, description
		task.Info.EntityName = m.Name
		task.Info.QueueTime = now()
		task.Info.Reason = &types.TaskReasonUser{UserName: user}
	})
	b.Lock()
	b.made = append(b.made, task)
	b.Unlock()
	return task
}

// pass lets a task run for its time, and tells its progress.
func (b *taskBook) pass(task *simulator.Task) {
	begun := now()
	locked(task, func() {
		task.Info.State, task.Info.StartTime = types.TaskInfoStateRunning, &begun
	})
	b.Lock()
	taking := b.taking
	b.Unlock()
	for step := int32(0); step < steps && taking > 0; step++ {
		locked(task, func() { task.Info.Progress = step * 100 / steps })
		time.Sleep(taking / steps)
	}
	for b.waits() {
		time.Sleep(5 * time.Millisecond)
	}
}

func (b *taskBook) waits() bool {
	b.Lock()
	defer b.Unlock()
	return b.held
}

func (b *taskBook) end(task *simulator.Task, result types.AnyType, fault types.BaseMethodFault) {
	ended := now()
	locked(task, func() {
		task.Info.CompleteTime, task.Info.Result = &ended, result
		task.Info.State, task.Info.Progress = types.TaskInfoStateSuccess, 100
		if fault != nil {
			task.Info.State, task.Info.Result = types.TaskInfoStateError, nil
			task.Info.Error = &types.LocalizedMethodFault{Fault: fault, LocalizedMessage: words(fault)}
		}
	})
}

// forget lets the server no longer know the tasks that have ended.
func (b *taskBook) forget() {
	b.Lock()
	defer b.Unlock()
	var kept []*simulator.Task
	for _, task := range b.made {
		ended := false
		locked(task, func() { ended = task.Info.CompleteTime != nil })
		if ended {
			simulator.Map.Remove(task.Self)
		} else {
			kept = append(kept, task)
		}
	}
	b.made = kept
}

func locked(object mo.Reference, f func()) { simulator.Map.WithLock(object, f) }

func userOf(ctx *simulator.Context) string {
	if ctx == nil || ctx.Session == nil || ctx.Session.UserName == "" {
		return "somebody"
	}
	return ctx.Session.UserName
}

// words are what the server says about a fault.
func words(fault types.BaseMethodFault) string {
	return fmt.Sprintf("%s: as the test asked for, or as it has to be", nameOf(fault))
}

func missing(ref types.ManagedObjectReference) *soap.Fault {
	fault := &types.ManagedObjectNotFound{Obj: ref}
	return simulator.Fault("The object has already been deleted", fault)
}
