package main

import (
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// office is the task manager; it also tells the tasks of the past.
type office struct {
	simulator.TaskManager
}

func adoptTasks() {
	for _, id := range []string{"TaskManager", "ha-taskmgr"} {
		old, ok := simulator.Map.Get(reference("TaskManager", id)).(*simulator.TaskManager)
		if !ok {
			continue
		}
		own := &office{}
		own.TaskManager.TaskManager = old.TaskManager
		simulator.Map.Put(own)
		simulator.Map.AddHandler(own) // in the place of the old one, which has the same reference
	}
}

// past is a reading of the tasks of the past.
type past struct {
	mo.TaskHistoryCollector
	left []types.TaskInfo
}

// CreateCollectorForTasks chooses by time and state alone.
func (o *office) CreateCollectorForTasks(
	ctx *simulator.Context, req *types.CreateCollectorForTasks,
) soap.HasFault {
	body := &methods.CreateCollectorForTasksBody{}
	if trouble := troubles.next("CreateCollectorForTasks", o.Self.Value, "call"); trouble != nil {
		fault := trouble.fault(&machine{})
		body.Fault_ = simulator.Fault(words(fault), fault)
		return body
	}
	own := &past{left: tasks.since(req.Filter)}
	own.Self.Type = "TaskHistoryCollector"
	body.Res = &types.CreateCollectorForTasksResponse{Returnval: ctx.Session.Put(own).Reference()}
	return body
}

// ReadNextTasks tells the next ones, oldest first.
func (p *past) ReadNextTasks(req *types.ReadNextTasks) soap.HasFault {
	count := int(req.MaxCount)
	if count > len(p.left) {
		count = len(p.left)
	}
	answer := &types.ReadNextTasksResponse{Returnval: p.left[:count]}
	p.left = p.left[count:]
	return &methods.ReadNextTasksBody{Res: answer}
}

// RewindCollector has nothing to do: a reading begins with the oldest task.
func (p *past) RewindCollector(*types.RewindCollector) soap.HasFault {
	return &methods.RewindCollectorBody{Res: &types.RewindCollectorResponse{}}
}

// DestroyCollector ends the reading.
func (p *past) DestroyCollector(ctx *simulator.Context, req *types.DestroyCollector) soap.HasFault {
	ctx.Session.Remove(req.This)
	return &methods.DestroyCollectorBody{Res: &types.DestroyCollectorResponse{}}
}

func (b *taskBook) since(filter types.TaskFilterSpec) []types.TaskInfo {
	b.Lock()
	defer b.Unlock()
	var found []types.TaskInfo
	for _, task := range b.made {
		var info types.TaskInfo
		locked(task, func() { info = task.Info })
		if begin := beginOf(filter); begin == nil || !info.QueueTime.Before(*begin) {
			found = append(found, info)
		}
	}
	return found
}

func beginOf(filter types.TaskFilterSpec) *time.Time {
	if filter.Time == nil {
		return nil
	}
	return filter.Time.BeginTime
}
