package main

import (
	"encoding/json"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// Orders that make the server difficult.

func orderFault(line []byte) (interface{}, error) {
	one := trouble{At: "task", Times: 1}
	if err := json.Unmarshal(line, &one); err != nil {
		return nil, err
	}
	if one.Fault != "" {
		if _, err := faultNamed(one.Fault); err != nil {
			return nil, err
		}
	}
	troubles.add(one)
	return nil, nil
}

func orderClear([]byte) (interface{}, error) {
	troubles.clear()
	rights.clear()
	return nil, nil
}

// value is the managed object id of what an order is about, "" where it is about everything.
func value(word string) (string, error) {
	if word == "" {
		return "", nil
	}
	object, err := find(word)
	if err != nil {
		return "", err
	}
	return object.Reference().Value, nil
}

func orderHide(line []byte) (interface{}, error) {
	return onObject(line, func(object, _ string) { rights.hide(object) })
}

func orderDeny(line []byte) (interface{}, error) {
	return onObject(line, rights.deny)
}

func onObject(line []byte, f func(object, path string)) (interface{}, error) {
	var o struct{ Object, Path string }
	if err := json.Unmarshal(line, &o); err != nil {
		return nil, err
	}
	object, err := value(o.Object)
	if err == nil {
		f(object, o.Path)
	}
	return nil, err
}

func orderLack(line []byte) (interface{}, error) {
	var o struct{ Privilege, Object string }
	if err := json.Unmarshal(line, &o); err != nil {
		return nil, err
	}
	object, err := value(o.Object)
	if err == nil {
		rights.lack(o.Privilege, object)
	}
	return nil, err
}

func orderUnknown(line []byte) (interface{}, error) {
	var o struct{ Path string }
	err := json.Unmarshal(line, &o)
	rights.notKnow(o.Path)
	return nil, err
}

func orderPage(line []byte) (interface{}, error) {
	var o struct {
		Limit   int
		Ignores bool // what the client wishes
	}
	err := json.Unmarshal(line, &o)
	pages.Lock()
	defer pages.Unlock()
	pages.limit, pages.ignores = o.Limit, o.Ignores
	return nil, err
}

func orderTaking(line []byte) (interface{}, error) {
	var o struct{ Seconds float64 }
	err := json.Unmarshal(line, &o)
	tasks.Lock()
	defer tasks.Unlock()
	tasks.taking = time.Duration(o.Seconds * float64(time.Second))
	return nil, err
}

// orderHold lets every task run on without an end, or go on.
func orderHold(line []byte) (interface{}, error) {
	var o struct{ On bool }
	err := json.Unmarshal(line, &o)
	tasks.Lock()
	defer tasks.Unlock()
	tasks.held = o.On
	return nil, err
}

func orderForget([]byte) (interface{}, error) {
	tasks.forget()
	return nil, nil
}

func orderDamage([]byte) (interface{}, error) {
	return map[string][]string{"damage": damages.all()}, nil
}

// orderExpire ends every session, and answers with how many there were.
func orderExpire([]byte) (interface{}, error) {
	ctx := inside()
	manager := ctx.Session.Get(simulator.Map.SessionManager().Self).(*simulator.SessionManager)
	var keys []string
	for _, one := range manager.SessionList {
		keys = append(keys, one.Key)
	}
	simulator.Map.SessionManager().TerminateSession(ctx, &types.TerminateSession{SessionId: keys})
	return map[string]int{"sessions": len(keys)}, nil
}
