package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// obey reads orders and answers each, until there are no more.
func obey(in io.Reader, out io.Writer) {
	lines := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			fmt.Fprintf(out, "%s\n", answer(line))
		}
		if err != nil {
			return
		}
	}
}

// answer is what an order gives, or under `error` why it cannot be done.
func answer(line []byte) []byte {
	given, err := carryOut(line)
	if err != nil {
		given = map[string]string{"error": err.Error()}
	}
	if given == nil {
		given = struct{}{}
	}
	words, err := json.Marshal(given)
	if err != nil {
		words = []byte(`{"error": "the answer cannot be written"}`)
	}
	return words
}

func carryOut(line []byte) (given interface{}, err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			err = fmt.Errorf("%v", trouble)
		}
	}()
	var order struct{ Do string }
	if err := json.Unmarshal(line, &order); err != nil {
		return nil, err
	}
	do, ok := orders[order.Do]
	if !ok {
		return nil, fmt.Errorf("no order %q", order.Do)
	}
	return do(line)
}

type order func(line []byte) (interface{}, error)

// orders by their names. Machines go by name or managed object id, sizes are bytes, ages seconds.
//
// The estate:
//
//	machine      name [host datastore folder power template disks:[{capacity used thick mode
//	             datastore rdm}]]; answers with its moid, as the next ones do
//	machines     count [snapshots prefix age written]
//	clone        name of snapshot: a linked clone
//	datastore    name [capacity free kind]
//	host         name cluster
//	file         path size; files: what the machines say they have really lies there
//	set          object path value: any property, in JSON's form
//	attribute    vm name value
//	id           object
//	look         vm: its snapshots, current one, chains and whether it needs consolidation
//	save         path: a folder that -load takes; play: a file of orders
//
// What somebody else does at the same time, at once and without a task:
//
//	snapshot     vm name [age at written memory quiesced state description data]
//	revert       vm snapshot
//	remove       vm snapshot [children half]; half leaves the deltas
//	consolidate  vm
//	write        vm bytes
//	destroy      vm
//	task         vm name description state [user result age]
//
// Trouble, which clear ends:
//
//	fault        method fault [object at:"call"|"task" times half]; times 0 is always
//	hide         object; deny: object path, or "*"; lack: privilege [object]
//	unknown      path: this release does not know it
//	page         limit [ignores]
//	taking       seconds each task takes; hold: on, and no task ends
//	forget-tasks, expire (every session), damage (done to files of others)
var orders map[string]order

func init() {
	orders = map[string]order{
		"attribute": orderAttribute, "clear": orderClear, "clone": orderClone,
		"consolidate": orderConsolidate, "damage": orderDamage,
		"datastore": orderDatastore, "deny": orderDeny, "destroy": orderDestroy,
		"expire": orderExpire, "fault": orderFault, "file": orderFile, "files": orderFiles,
		"forget-tasks": orderForget, "hide": orderHide, "hold": orderHold, "host": orderHost,
		"id": orderID, "lack": orderLack, "look": orderLook, "machine": orderMachine,
		"machines": orderMachines, "page": orderPage, "play": orderPlay, "remove": orderRemove,
		"revert": orderRevert, "save": orderSave, "set": orderSet, "snapshot": orderSnapshot, "taking": orderTaking,
		"task": orderTask, "unknown": orderUnknown, "write": orderWrite,
	}
}

// orderPlay carries out the orders in a file, one in a line, and answers with their number.
func orderPlay(line []byte) (interface{}, error) {
	var o struct{ Path string }
	if err := json.Unmarshal(line, &o); err != nil {
		return nil, err
	}
	return play(o.Path)
}

func play(path string) (interface{}, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines, done := bufio.NewReaderSize(file, 1<<20), 0
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			if _, err := carryOut(line); err != nil {
				return nil, fmt.Errorf("line %d: %w", done+1, err)
			}
			done++
		}
		if err != nil {
			return map[string]int{"orders": done}, nil
		}
	}
}
